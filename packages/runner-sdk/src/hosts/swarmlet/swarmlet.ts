import { RunnerError } from '../../errors/runner-error.js';
import type { Host } from '../host.js';
import { enrollTokenFrom, resolveSwarmletOptions, swarmletUrls, type SwarmletOptions } from './options.js';
import { attachSwarmlet } from './swarmlet-session.js';

function onlyUrl(): string | undefined {
  const [url, ...others] = swarmletUrls();
  if (others.length === 0) return url;
  throw new RunnerError(
    'INVALID_OPTION',
    `environment variable LONGHOUSE_URLS lists ${others.length + 1} control planes, and swarmlet() is a host of one: use swarmletHosts(), or name one by option "url"`,
  );
}

/**
 * Makes a Swarmlet control plane a host of a runner: its command lines are run by the runner's shell capability.
 * @param options - what is left out comes from the environment variables of Swarmlet's own runner
 * @throws RunnerError `INVALID_OPTION`, also where the environment lists several control planes
 *
 * @example
 * createRunner({ name: 'ops', capabilities: [shell({ profile: 'full' })], hosts: [swarmlet()] });
 */
export function swarmlet(options: SwarmletOptions = {}): Host {
  const resolved = resolveSwarmletOptions({ ...options, url: options.url ?? onlyUrl() });
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
  const from = enrollTokenFrom(options);
  if (urls.length > 1 && from !== undefined)
    throw new RunnerError(
      'INVALID_OPTION',
      `${from} is good for one of the ${urls.length} control planes of LONGHOUSE_URLS: make a host of each by swarmlet({ url, enrollToken })`,
    );
  return urls.map((url) => swarmlet({ ...options, url }));
}
