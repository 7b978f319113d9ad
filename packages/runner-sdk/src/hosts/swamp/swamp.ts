import { availableParallelism } from 'node:os';
import type { Host } from '../host.js';
import {
  resolveSwampOptions,
  resolveSwampRunnerOptions,
  type SwampOptions,
  type SwampRunnerOptions,
} from './options.js';
import { attachSwamp } from './swamp-session.js';

/**
 * Makes a swamp a host of a runner: its steps of the type `command/shell` are run by the runner's shell capability.
 * @param options - what is left out comes from the environment variables of swamp's own runner
 * @throws RunnerError `INVALID_OPTION`
 *
 * @example
 * createRunner({ name: 'ops', capabilities: [shell({ profile: 'full' })], hosts: [swamp()] });
 */
export function swamp(options: SwampOptions = {}): Host {
  const resolved = resolveSwampOptions(options);
  return { name: 'swamp', listens: false, attach: (runner) => attachSwamp(runner, resolved) };
}

/**
 * What the environment of swamp's own runner says of the runner itself, for the options of `createRunner`:
 * `SWAMP_WORKER_MAX_DISPATCHES`, `SWAMP_WORKER_IDLE_TIMEOUT` (`5m`), `SWAMP_WORKER_CONCURRENCY` (a number or `auto`).
 * @throws RunnerError `INVALID_OPTION`
 */
export function swampRunnerOptions(): SwampRunnerOptions {
  return resolveSwampRunnerOptions(availableParallelism());
}
