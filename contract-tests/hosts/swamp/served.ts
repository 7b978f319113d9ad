import type { Runner, RunnerOptions } from '@controlplane/runner-sdk';
import { swamp, type SwampOptions } from '@controlplane/runner-sdk/swamp';
import { onTestFinished } from 'vitest';
import { startRunner } from '../served-runner.js';
import { startScriptedSwamp, type ScriptedSwamp } from './scripted-swamp.js';

/** A swamp that is gone when the test is over. */
export async function startHost(): Promise<ScriptedSwamp> {
  const host = await startScriptedSwamp();
  onTestFinished(() => host.close());
  return host;
}

/** A runner that is not waited for. */
export const begin = (
  host: ScriptedSwamp,
  more: SwampOptions = {},
  options: Partial<RunnerOptions> = {},
): Promise<Runner> =>
  startRunner({
    hosts: [swamp({ url: host.url, token: 'fleet.s3cret', ...more })],
    machineId: 'machine-1',
    ...options,
  });

/** A runner that is enrolled. */
export async function serve(
  host: ScriptedSwamp,
  more: SwampOptions = {},
  options: Partial<RunnerOptions> = {},
): Promise<Runner> {
  const runner = await begin(host, more, options);
  await runner.ready();
  return runner;
}
