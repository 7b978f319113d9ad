import { container } from '@controlplane/capabilities/container';
import type { Capability, Runner, RunnerOptions } from '@controlplane/runner-sdk';
import { quarterback, type QuarterbackOptions } from '@controlplane/runner-sdk/quarterback';
import { onTestFinished } from 'vitest';
import { makeProcessEngine } from '../process-engine.js';
import { startRunner, temporaryFolder } from '../served-runner.js';
import { startScriptedQuarterback, type ScriptedQuarterback } from './scripted-quarterback.js';

/** A Quarterback that is gone when the test is over. */
export async function startHost(): Promise<ScriptedQuarterback> {
  const host = await startScriptedQuarterback();
  onTestFinished(() => host.close());
  return host;
}

/** Containers that are processes. */
export const processContainers = (): Capability =>
  container({
    engine: makeProcessEngine(),
    images: ['*'],
    termGraceMs: 1_000,
    stateDirectory: temporaryFolder(),
    workDirectory: temporaryFolder(),
  });

/** What a runner is told so that a test need not wait. */
export const HASTE: QuarterbackOptions = {
  registrationToken: 'let-me-in',
  pollIntervalMs: 50,
  heartbeatIntervalMs: 50,
  reportIntervalMs: 50,
};

/** A runner that it knows. */
export async function serve(
  host: Pick<ScriptedQuarterback, 'url'>,
  more: QuarterbackOptions = {},
  options: Partial<RunnerOptions> = {},
): Promise<Runner> {
  const runner = await startRunner({
    hosts: [quarterback({ url: host.url, ...HASTE, ...more })],
    capabilities: [processContainers()],
    ...options,
  });
  await runner.ready();
  return runner;
}
