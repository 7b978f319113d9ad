import type { Runner, RunnerOptions } from '@controlplane/runner-sdk';
import { swarmlet, type SwarmletOptions } from '@controlplane/runner-sdk/swarmlet';
import { onTestFinished } from 'vitest';
import { startRunner } from '../served-runner.js';
import { startScriptedSwarmlet, type ScriptedSwarmlet } from './scripted-swarmlet.js';

/** A Swarmlet that is gone when the test is over. */
export async function startHost(): Promise<ScriptedSwarmlet> {
  const host = await startScriptedSwarmlet();
  onTestFinished(() => host.close());
  return host;
}

/** A runner that it knows. */
export async function serve(
  host: ScriptedSwarmlet,
  more: SwarmletOptions = {},
  options: Partial<RunnerOptions> = {},
): Promise<Runner> {
  const given: SwarmletOptions = {
    url: host.url,
    runnerId: 7,
    secret: 'seven-secret',
    reconnectDelayMs: 20,
    ...more,
  };
  const runner = await startRunner({ hosts: [swarmlet(given)], ...options });
  await runner.ready();
  return runner;
}
