import { RunnerError } from '../../errors/runner-error.js';
import type { Host } from '../host.js';
import { resolveSwarmletOptions, swarmletUrls, type SwarmletOptions } from './options.js';
import { attachSwarmlet } from './swarmlet-session.js';

/**
 * Makes a Swarmlet control plane a host of a runner: its command lines are run by the runner's shell capability.
 * @param options - what is left out comes from the environment variables of Swarmlet's own runner
 * @throws RunnerError `INVALID_OPTION`, also where the environment lists several control planes
 *
 * @example
 * createRunner({ name: 'ops', capabilities: [shell({ profile: 'full' })], hosts: [swarmlet()] });
 */
export function swarmlet(options: SwarmletOptions = {}): Host {
  const resolved = resolveSwarmletOptions(options);
  return { name: 'swarmlet', listens: false, attach: (runner) => attachSwarmlet(runner, resolved) };
}

/**
 * A host for each control plane that the environment lists in `LONGHOUSE_URLS`: one runner works for them all.
 * @param options - what they have in common
 * @throws RunnerError `INVALID_OPTION`
 *
 * @example
 * createRunner({ name: 'ops', capabilities: [shell({ profile: 'full' })], hosts: swarmletHosts() });
 */
export function swarmletHosts(options: Omit<SwarmletOptions, 'url'> = {}): Host[] {
  const urls = swarmletUrls();
  if (urls.length > 1 && typeof options.enrollToken === 'string')
    throw new RunnerError(
      'INVALID_OPTION',
      `option "enrollToken" is good for one of the ${urls.length} control planes of LONGHOUSE_URLS: make a host of each by swarmlet({ url, enrollToken })`,
    );
  return urls.map((url) => swarmlet({ ...options, url }));
}
