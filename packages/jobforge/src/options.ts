import { DEFAULTS } from '@controlplane/contracts';
import type { Clock } from './model/clock.js';
import { DEFAULT_LIMITS, type JobForgeLimits } from './model/limits.js';
import { silentLog, type Log } from './model/log.js';

/** Where the HTTP API listens. */
export interface ListenOptions {
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** 0 takes a free one. Default: 3002. */
  readonly port?: number;
  /** Host names accepted beside those of this machine. Default: none. */
  readonly allowedHosts?: readonly string[];
}

/** What {@link createJobForge} takes. Everything has a default. */
export interface JobForgeOptions {
  /** `memory` for none, or `sqlite:` and the path of a file. Default: `sqlite:./data/jobforge.db`. */
  readonly store?: string;
  /**
   * `full` survives a power cut; `normal` survives the death of the process and is faster on slow disks.
   * Default: `full`.
   */
  readonly durability?: 'full' | 'normal';
  /** False: no HTTP server; jobs are submitted through the library alone. Default: 127.0.0.1:3002. */
  readonly listen?: ListenOptions | false;
  /** Sizes and times that differ from the defaults. */
  readonly limits?: Partial<JobForgeLimits>;
  /** Hears of what goes on. Default: nobody. */
  readonly log?: Log;
  /** Default: the machine's own time. */
  readonly clock?: Clock;
  /** A number in [0, 1), for spreading retries. Default: Math.random. */
  readonly random?: () => number;
}

export const DEFAULT_STORE = 'sqlite:./data/jobforge.db';

export interface ResolvedOptions {
  /** A file, or `:memory:`. */
  readonly location: string;
  readonly durability: 'full' | 'normal';
  readonly listen: Required<ListenOptions> | false;
  readonly limits: JobForgeLimits;
  readonly log: Log;
}

function locationOf(store: string): string {
  if (store === 'memory') return ':memory:';
  if (store.startsWith('sqlite:') && store.length > 'sqlite:'.length) return store.slice('sqlite:'.length);
  throw new TypeError(
    `store "${store}" is not known: expected "memory" or "sqlite:" and the path of a file, such as ${DEFAULT_STORE}`,
  );
}

/**
 * Fills in the defaults.
 * @throws TypeError when an option cannot be understood
 */
export function resolveOptions(options: JobForgeOptions): ResolvedOptions {
  const { listen = {} } = options;
  return {
    location: locationOf(options.store ?? DEFAULT_STORE),
    durability: options.durability ?? 'full',
    listen:
      listen === false
        ? false
        : { host: '127.0.0.1', port: DEFAULTS.jobForgePort, allowedHosts: [], ...listen },
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    log: options.log ?? silentLog,
  };
}
