import { DurationMs } from '@controlplane/contracts';
import { z } from 'zod';
import { RunnerError } from '../../errors/runner-error.js';
import { resolveSettings, splitWords, type Resolved, type Settings } from '../../util/setting.js';
import type { CommandLineOptions } from '../command-line.js';
import { credentialFrom, type CredentialSource } from '../credential-source.js';

/** What {@link swarmlet} is told. What is left out comes from the environment of Swarmlet's own runner, then from its default. */
export interface SwarmletOptions extends CommandLineOptions {
  /** Base URL of the control plane. Environment: `SWARMLET_URL`, `LONGHOUSE_URL`. Default: `ws://localhost:47300`. */
  readonly url?: string | undefined;
  /** Number that the control plane knows the runner by. Environment: `RUNNER_ID`. Default: the name stands for it. */
  readonly runnerId?: number | undefined;
  /** Name that it knows the runner by. Environment: `RUNNER_NAME`. Default: the runner's, where it has no number. */
  readonly runnerName?: string | undefined;
  /** Environment: `RUNNER_SECRET`, or the file that `RUNNER_SECRET_FILE` names. Default: the one of an enrollment. */
  readonly secret?: CredentialSource | undefined;
  /**
   * One-time token, exchanged for number and secret where the runner has no secret. Both are kept in the runner's state
   * directory, without which it is known for the life of its process alone. Environment: `SWARMLET_ENROLL_TOKEN`,
   * `SWARMLET_ENROLL_TOKEN_FILE`.
   */
  readonly enrollToken?: CredentialSource | undefined;
  /** Environment: `HEARTBEAT_INTERVAL_MS`. Default: 30,000. */
  readonly heartbeatIntervalMs?: number | undefined;
  /** Least milliseconds before the next connection. Environment: `RECONNECT_DELAY_MS`. Default: 5,000. */
  readonly reconnectDelayMs?: number | undefined;
  /** Most milliseconds before it. Environment: `MAX_RECONNECT_DELAY_MS`. Default: 60,000. */
  readonly maxReconnectDelayMs?: number | undefined;
  /** Milliseconds for a connection to be made. Environment: `CONNECT_TIMEOUT_MS`. Default: 15,000. */
  readonly connectTimeoutMs?: number | undefined;
}

const duration = z.coerce.number().pipe(DurationMs);
const url = z.url({ protocol: /^(http|ws)s?$/ });

const SETTINGS = {
  url: { variables: ['SWARMLET_URL', 'LONGHOUSE_URL'], schema: url, fallback: 'ws://localhost:47300' },
  runnerId: {
    variables: ['RUNNER_ID'],
    schema: z.coerce.number().int().nonnegative().optional(),
    fallback: undefined,
  },
  runnerName: { variables: ['RUNNER_NAME'], schema: z.string().min(1).optional(), fallback: undefined },
  heartbeatIntervalMs: { variables: ['HEARTBEAT_INTERVAL_MS'], schema: duration, fallback: 30_000 },
  reconnectDelayMs: { variables: ['RECONNECT_DELAY_MS'], schema: duration, fallback: 5_000 },
  maxReconnectDelayMs: { variables: ['MAX_RECONNECT_DELAY_MS'], schema: duration, fallback: 60_000 },
  connectTimeoutMs: { variables: ['CONNECT_TIMEOUT_MS'], schema: duration, fallback: 15_000 },
} as const satisfies Partial<Settings<keyof SwarmletOptions>>;

/** Options with every default filled. */
export type ResolvedSwarmletOptions = CommandLineOptions &
  Resolved<typeof SETTINGS> & {
    readonly secret: CredentialSource | undefined;
    readonly enrollToken: CredentialSource | undefined;
    /** What `RUNNER_CAPABILITIES` lets the runner announce; empty where it says nothing. */
    readonly allowed: readonly string[];
  };

/**
 * Fills in what the options leave out.
 * @param environment - default: `process.env`
 * @throws RunnerError `INVALID_OPTION`
 */
export function resolveSwarmletOptions(
  options: SwarmletOptions,
  environment: NodeJS.ProcessEnv = process.env,
): ResolvedSwarmletOptions {
  const settings = resolveSettings(SETTINGS, options, environment);
  const { capability, payload } = options;
  return {
    ...settings,
    // A number is enough: the runner's name in the environment may be meant for others.
    runnerName:
      settings.runnerId === undefined || options.runnerName !== undefined ? settings.runnerName : undefined,
    capability,
    payload,
    secret: options.secret ?? credentialFrom(environment, 'RUNNER_SECRET'),
    enrollToken: options.enrollToken ?? credentialFrom(environment, 'SWARMLET_ENROLL_TOKEN'),
    allowed: splitWords(environment['RUNNER_CAPABILITIES'] ?? ''),
  };
}

/** Where an enrollment token for one control plane is from, in words; undefined where there is none. */
export function enrollTokenFrom(
  { enrollToken }: Pick<SwarmletOptions, 'enrollToken'>,
  environment: NodeJS.ProcessEnv = process.env,
): string | undefined {
  if (typeof enrollToken === 'function') return undefined;
  if (enrollToken !== undefined) return 'option "enrollToken"';
  const variables = ['SWARMLET_ENROLL_TOKEN', 'SWARMLET_ENROLL_TOKEN_FILE'];
  const variable = variables.find((one) => Boolean(environment[one]));
  return variable === undefined ? undefined : `environment variable ${variable}`;
}

/**
 * The control planes that `LONGHOUSE_URLS` lists; else the one of `SWARMLET_URL`.
 * @throws RunnerError `INVALID_OPTION`
 */
export function swarmletUrls(environment: NodeJS.ProcessEnv = process.env): string[] {
  const listed = splitWords(environment['LONGHOUSE_URLS'] ?? '');
  if (listed.length === 0) return [resolveSettings({ url: SETTINGS.url }, {}, environment).url];
  const wrong = listed.find((one) => !url.safeParse(one).success);
  if (wrong === undefined) return [...new Set(listed)];
  throw new RunnerError(
    'INVALID_OPTION',
    `environment variable LONGHOUSE_URLS has ${JSON.stringify(wrong)}, which is no URL of http, https, ws or wss`,
  );
}
