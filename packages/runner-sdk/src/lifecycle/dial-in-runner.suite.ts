import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { startDialInControlPlane } from './dial-in-control-plane.suite.js';
import { createHeld } from './runner-fixture.suite.js';
import type { RunnerOptions } from './runner-options.js';
import { createRunner, type Runner } from './runner.js';

type Plane = Awaited<ReturnType<typeof startDialInControlPlane>>;

/** Starts a runner that dials in to a control plane; stopped after the test. */
export async function dialIn(plane: Plane, options: Partial<RunnerOptions>): Promise<Runner> {
  const runner = createRunner({
    name: 'images',
    capabilities: [createHeld().capability],
    controlPlaneUrl: plane.url,
    logger: false,
    handleSignals: false,
    watchdog: false,
    random: () => 0,
    ...options,
  });
  onTestFinished(() => runner.stop({ drainMs: 1 }));
  await runner.start();
  return runner;
}

/** A folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'runner-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Whether there is the end of an execution among the events of a frame. */
export const isEnd = ({
  executions,
}: {
  executions: ReadonlyArray<{ events: ReadonlyArray<{ type: string }> }>;
}): boolean =>
  executions.some(({ events }) =>
    events.some(({ type }) => ['succeeded', 'failed', 'cancelled'].includes(type)),
  );
