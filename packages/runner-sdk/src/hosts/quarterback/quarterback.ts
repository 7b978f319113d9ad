import type { Host } from '../host.js';
import { resolveQuarterbackOptions, type QuarterbackOptions } from './options.js';
import { attachQuarterback } from './quarterback-session.js';

/**
 * Makes an All-Time Quarterback a host of a runner: its tasks are run by the runner's container capability.
 * @param options - what is left out comes from the environment
 * @throws RunnerError `INVALID_OPTION`
 *
 * @example
 * const engine = await findEngine();
 * const tasks = container({ engine, images: ['ghcr.io/elcanotek/*'], networks: ['bridge'] });
 * createRunner({ name: 'client-acme-1', capabilities: [tasks], hosts: [quarterback()] });
 */
export function quarterback(options: QuarterbackOptions = {}): Host {
  const resolved = resolveQuarterbackOptions(options);
  return { name: 'quarterback', listens: false, attach: (runner) => attachQuarterback(runner, resolved) };
}
