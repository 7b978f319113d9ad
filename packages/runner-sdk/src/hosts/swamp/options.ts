import { DurationMs } from '@controlplane/contracts';
import { z } from 'zod';
import { RunnerError } from '../../errors/runner-error.js';
import { toMilliseconds } from '../../util/duration.js';
import { resolveSettings, splitPairs, type Resolved, type Settings } from '../../util/setting.js';
import type { CommandLineOptions } from '../command-line.js';
import { credentialFrom, type CredentialSource } from '../credential-source.js';

/** What {@link swamp} is told. What is left out comes from the environment of swamp's own runner, then from its default. */
export interface SwampOptions extends CommandLineOptions {
  /** URL of the control plane. Environment: `SWAMP_ORCHESTRATOR_URL`. Default: `ws://127.0.0.1:9090`. */
  readonly url?: string | undefined;
  /** Enrollment token, `<name>.<secret>`. Environment: `SWAMP_WORKER_TOKEN`, `SWAMP_WORKER_TOKEN_FILE`. Required in one of them. */
  readonly token?: CredentialSource | undefined;
  /** For a control plane that asks who connects. Environment: `SWAMP_SERVER_TOKEN`, `SWAMP_SERVER_TOKEN_FILE`. Default: none. */
  readonly serverToken?: CredentialSource | undefined;
  /** Beside the runner's own. Environment: `SWAMP_WORKER_LABELS` (`region=eu,gpu=yes`). Default: none. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /**
   * Folder of swamp's own runner, whose `machine-id` the token may be bound to. Environment: `SWAMP_WORKER_CACHE_DIR`.
   * Default: the machine's id as the runner has it.
   */
  readonly cacheDir?: string | undefined;
  /** Where results are written, when that is another address. Default: the control plane's, over HTTP. */
  readonly dataPlaneUrl?: string | undefined;
  /** Whether a connection that was lost is made anew; else the runner drains and stops. Default: true. */
  readonly reconnect?: boolean | undefined;
  /**
   * Which variables of the control plane's own process a command is given. Default: those whose names do not look like a
   * secret's. Never: `PATH`, `HOME` and the like, `SWAMP_*`.
   */
  readonly passEnvironment?: ((name: string) => boolean) | undefined;
}

const SETTINGS = {
  url: {
    variables: ['SWAMP_ORCHESTRATOR_URL'],
    schema: z.url({ protocol: /^(http|ws)s?$/ }),
    fallback: 'ws://127.0.0.1:9090',
  },
  labels: {
    variables: ['SWAMP_WORKER_LABELS'],
    schema: z.record(z.string(), z.string()),
    fallback: {},
    split: splitPairs,
  },
  cacheDir: {
    variables: ['SWAMP_WORKER_CACHE_DIR'],
    schema: z.string().min(1).optional(),
    fallback: undefined,
  },
  dataPlaneUrl: {
    variables: [],
    schema: z.url({ protocol: /^https?$/ }).optional(),
    fallback: undefined,
  },
} as const satisfies Partial<Settings<keyof SwampOptions>>;

/** Options with every default filled. */
export type ResolvedSwampOptions = CommandLineOptions &
  Resolved<typeof SETTINGS> & {
    readonly token: CredentialSource;
    readonly serverToken: CredentialSource | undefined;
    readonly reconnect: boolean;
    readonly passEnvironment: SwampOptions['passEnvironment'];
  };

/**
 * Fills in what the options leave out.
 * @param environment - default: `process.env`
 * @throws RunnerError `INVALID_OPTION`
 */
export function resolveSwampOptions(
  options: SwampOptions,
  environment: NodeJS.ProcessEnv = process.env,
): ResolvedSwampOptions {
  const token = options.token ?? credentialFrom(environment, 'SWAMP_WORKER_TOKEN');
  if (token === undefined)
    throw new RunnerError(
      'INVALID_OPTION',
      'host "swamp" has no enrollment token; set its option "token", or environment variable SWAMP_WORKER_TOKEN or SWAMP_WORKER_TOKEN_FILE',
    );
  const { capability, payload, passEnvironment, reconnect = true } = options;
  return {
    ...resolveSettings(SETTINGS, options, environment),
    capability,
    payload,
    passEnvironment,
    reconnect,
    token,
    serverToken: options.serverToken ?? credentialFrom(environment, 'SWAMP_SERVER_TOKEN'),
  };
}

const LIMITS = {
  maxJobs: {
    variables: ['SWAMP_WORKER_MAX_DISPATCHES'],
    schema: z.coerce.number().int().positive().optional(),
    fallback: undefined,
  },
  idleTimeoutMs: {
    variables: ['SWAMP_WORKER_IDLE_TIMEOUT'],
    schema: z.coerce
      .string()
      .transform((text, ctx) => {
        try {
          return toMilliseconds(text);
        } catch (error) {
          ctx.addIssue(error instanceof Error ? error.message : String(error));
          return z.NEVER;
        }
      })
      .pipe(DurationMs)
      .optional(),
    fallback: undefined,
  },
  maxConcurrency: {
    variables: ['SWAMP_WORKER_CONCURRENCY'],
    schema: z.coerce.number().int().positive().optional(),
    fallback: undefined,
  },
} as const satisfies Settings<string>;

/** Options of the runner itself that swamp has variables for. */
export type SwampRunnerOptions = Resolved<typeof LIMITS>;

/**
 * What the environment of swamp's own runner says of the runner itself: `SWAMP_WORKER_MAX_DISPATCHES`,
 * `SWAMP_WORKER_IDLE_TIMEOUT` (`5m`), `SWAMP_WORKER_CONCURRENCY` (`auto` is as many as there are processors, given by the caller).
 * @param environment - default: `process.env`
 * @throws RunnerError `INVALID_OPTION`
 */
export function resolveSwampRunnerOptions(
  processors: number,
  environment: NodeJS.ProcessEnv = process.env,
): SwampRunnerOptions {
  const isAuto = environment['SWAMP_WORKER_CONCURRENCY'] === 'auto';
  return resolveSettings(LIMITS, isAuto ? { maxConcurrency: processors } : {}, environment);
}
