import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shell } from '@controlplane/capabilities/shell';
import { createRunner, type Runner, type RunnerOptions } from '@controlplane/runner-sdk';
import { onTestFinished } from 'vitest';

/** A folder that is gone when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hosts-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a runner of command lines that is stopped when the test is over. */
export async function startRunner(options: Partial<RunnerOptions>): Promise<Runner> {
  const runner = createRunner({
    name: 'builder',
    version: '1.0.0',
    capabilities: [shell({ profile: 'full', termGraceMs: 300 })],
    logger: false,
    handleSignals: false,
    watchdog: false,
    random: () => 0,
    ...options,
  });
  onTestFinished(() => runner.stop({ drainMs: 1 }));
  return runner.start();
}
