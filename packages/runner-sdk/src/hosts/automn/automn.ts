import type { Host } from '../host.js';
import { attachAutomn } from './automn-session.js';
import { resolveAutomnOptions, type AutomnOptions } from './options.js';

/**
 * Makes an Automn a host of a runner: its scripts are run by the runner's script capability. The runner listens for them.
 * @param options - what is left out comes from the environment variables of Automn's own runner
 * @throws RunnerError `INVALID_OPTION`
 *
 * @example
 * const interpreters = await findInterpreters();
 * createRunner({ name: 'scripts', labels: interpreters.labels, capabilities: [script({ interpreters })], hosts: [automn()] });
 */
export function automn(options: AutomnOptions = {}): Host {
  const resolved = resolveAutomnOptions(options);
  return {
    name: 'automn',
    listens: false,
    port: resolved.port,
    attach: (runner) => attachAutomn(runner, resolved),
  };
}
