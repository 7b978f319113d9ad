import { DEFAULTS, DurationMs, Identifier } from '@controlplane/contracts';
import { z } from 'zod';
import { RunnerError } from '../errors/runner-error.js';
import { EXECUTOR_LIMITS } from '../execution/executor.js';
import type { DeliveryKind } from '../hosts/control-plane/control-plane.js';
import type { CredentialSource } from '../hosts/credential-source.js';
import { LOG_LEVELS } from '../util/logger.js';
import type { RunnerOptions } from './runner-options.js';

const count = z.coerce.number().int().positive();
const duration = z.coerce.number().pipe(DurationMs);
const httpUrl = z.url({ protocol: /^https?$/ });

function splitLabels(text: string): Record<string, string> | string {
  const pairs = text
    .split(',')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '');
  const entries = pairs.map(
    (pair) =>
      /^([^=]*)=(.*)$/s
        .exec(pair)
        ?.slice(1)
        .map((part) => part.trim()) ?? [],
  );
  return entries.every(([key]) => Boolean(key))
    ? (Object.fromEntries(entries) as Record<string, string>)
    : text;
}

const splitTags = (text: string): string[] =>
  text
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');

/** Every option that can come from the environment: its variable, what it must be, and its default. */
const SETTINGS = {
  name: { variable: 'RUNNER_NAME', schema: z.string().min(1).max(128), fallback: undefined },
  version: { variable: 'RUNNER_VERSION', schema: z.string().min(1), fallback: '0.0.0' },
  controlPlaneUrl: {
    variable: 'JOBFORGE_URL',
    schema: httpUrl,
    fallback: `http://127.0.0.1:${DEFAULTS.jobForgePort}`,
  },
  port: {
    variable: 'PORT',
    schema: z.coerce.number().int().min(0).max(65_535),
    fallback: DEFAULTS.runnerPort,
  },
  host: { variable: 'HOST', schema: z.string().min(1), fallback: '127.0.0.1' },
  publicUrl: { variable: 'RUNNER_PUBLIC_URL', schema: httpUrl.optional(), fallback: undefined },
  maxConcurrency: {
    variable: 'RUNNER_MAX_CONCURRENCY',
    schema: count.max(100_000),
    fallback: DEFAULTS.runnerSlots,
  },
  labels: {
    variable: 'RUNNER_LABELS',
    schema: z.record(z.string(), z.string()),
    fallback: {},
    split: splitLabels,
  },
  tags: { variable: 'RUNNER_TAGS', schema: z.array(z.string()), fallback: [], split: splitTags },
  machineId: { variable: 'RUNNER_MACHINE_ID', schema: Identifier.optional(), fallback: undefined },
  buildId: { variable: 'RUNNER_BUILD_ID', schema: z.string().max(256).optional(), fallback: undefined },
  stateDirectory: {
    variable: 'RUNNER_STATE_DIR',
    schema: z.string().min(1).optional(),
    fallback: undefined,
  },
  maxJobs: { variable: 'RUNNER_MAX_JOBS', schema: count.optional(), fallback: undefined },
  idleTimeoutMs: { variable: 'RUNNER_IDLE_TIMEOUT_MS', schema: duration.optional(), fallback: undefined },
  maxUptimeMs: { variable: 'RUNNER_MAX_UPTIME_MS', schema: duration.optional(), fallback: undefined },
  drainMs: { variable: 'RUNNER_DRAIN_MS', schema: duration, fallback: DEFAULTS.drainMs },
  cancelGraceMs: { variable: 'RUNNER_CANCEL_GRACE_MS', schema: duration, fallback: DEFAULTS.cancelGraceMs },
  maxLogBytes: { variable: 'RUNNER_MAX_LOG_BYTES', schema: count, fallback: EXECUTOR_LIMITS.maxLogBytes },
  maxBodyBytes: { variable: 'RUNNER_MAX_BODY_BYTES', schema: count, fallback: DEFAULTS.maxBodyBytes },
  logLevel: { variable: 'LOG_LEVEL', schema: z.enum(LOG_LEVELS), fallback: 'info' },
} as const satisfies Partial<Record<keyof RunnerOptions, Setting>>;

interface Setting {
  readonly variable: string;
  readonly schema: z.ZodType;
  readonly fallback: unknown;
  /** Reads a variable's text where it is not the value itself. */
  readonly split?: (text: string) => unknown;
}

type SettingName = keyof typeof SETTINGS;

/** Options with every default filled. */
export type ResolvedOptions = {
  readonly [Name in SettingName]: z.output<(typeof SETTINGS)[Name]['schema']>;
} & {
  readonly mountAt: string | undefined;
  readonly delivery: DeliveryKind;
  readonly credential: CredentialSource | undefined;
  /** Somebody wants the runner to listen, however work arrives. */
  readonly isPortGiven: boolean;
  /** The platform is likely to end the process before a drain is over. */
  readonly isKilledEarly: boolean;
};

function resolveSetting(name: SettingName, given: unknown, environment: NodeJS.ProcessEnv): unknown {
  const { variable, schema, fallback, split }: Setting = SETTINGS[name];
  const text = environment[variable];
  const isFromEnvironment = given === undefined && text !== undefined && text !== '';
  const fromEnvironment = isFromEnvironment && split ? split(text) : text;
  const value = isFromEnvironment ? fromEnvironment : (given ?? fallback);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problem = parsed.error.issues[0]?.message ?? 'not usable';
  const place = isFromEnvironment ? `environment variable ${variable}` : `option "${name}"`;
  const shown = value === undefined ? 'not set' : JSON.stringify(value);
  throw new RunnerError(
    'INVALID_OPTION',
    `${place} is ${shown}: ${problem}. Set option "${name}" or environment variable ${variable}.`,
  );
}

function resolveMountAt(delivery: RunnerOptions['delivery']): string | undefined {
  const mountAt = typeof delivery === 'object' ? delivery.mountAt : undefined;
  if (mountAt === undefined || /^\/[^?#]*$/.test(mountAt)) return mountAt?.replace(/\/+$/, '');
  throw new RunnerError(
    'INVALID_OPTION',
    `option "delivery.mountAt" is ${JSON.stringify(mountAt)}: expected a path such as "/runner"`,
  );
}

const DELIVERIES: readonly DeliveryKind[] = ['push', 'websocket', 'long-poll', 'auto'];

function resolveDelivery(delivery: unknown, environment: NodeJS.ProcessEnv): DeliveryKind {
  const given = typeof delivery === 'object' && delivery !== null ? Reflect.get(delivery, 'kind') : delivery;
  const kind: unknown = given ?? (environment['RUNNER_DELIVERY'] || 'push');
  const known = DELIVERIES.find((one) => one === kind);
  if (known) return known;
  const place = given === undefined ? 'environment variable RUNNER_DELIVERY' : 'option "delivery"';
  throw new RunnerError(
    'INVALID_OPTION',
    `${place} is ${JSON.stringify(kind)}: expected ${DELIVERIES.map((one) => `"${one}"`).join(', ')}`,
  );
}

/** A credential is never shown, also not in the error about it. */
function resolveCredential(given: unknown, environment: NodeJS.ProcessEnv): CredentialSource | undefined {
  const isFile =
    typeof given === 'object' && given !== null && typeof Reflect.get(given, 'file') === 'string';
  if (given === undefined) {
    const { RUNNER_TOKEN: token, RUNNER_TOKEN_FILE: file } = environment;
    if (token) return token;
    return file ? { file } : undefined;
  }
  if (isFile || typeof given === 'function' || (typeof given === 'string' && given !== '')) {
    return given as CredentialSource;
  }
  throw new RunnerError(
    'INVALID_OPTION',
    'option "credential" is neither a text, nor { file }, nor a function. Set it, or environment variable RUNNER_TOKEN or RUNNER_TOKEN_FILE.',
  );
}

/** Kubernetes kills a pod thirty seconds after it told it to stop, unless the pod says otherwise. */
const KUBERNETES_GRACE_MS = 30_000;

/**
 * Fills in what the options leave out: from the environment, then from the defaults. An empty variable counts
 * as none.
 * @param options - what the program says
 * @param environment - default: `process.env`
 * @throws RunnerError `INVALID_OPTION` that names option and variable
 */
export function resolveOptions(
  options: RunnerOptions,
  environment: NodeJS.ProcessEnv = process.env,
): ResolvedOptions {
  const names = Object.keys(SETTINGS) as SettingName[];
  const resolved = Object.fromEntries(
    names.map((name) => [name, resolveSetting(name, options[name], environment)]),
  );
  if (!Array.isArray(options.capabilities) || options.capabilities.length === 0) {
    throw new RunnerError(
      'INVALID_OPTION',
      'option "capabilities" is empty: a runner needs at least one capability, made by defineCapability',
    );
  }
  const settings = resolved as Pick<ResolvedOptions, SettingName>;
  return {
    ...settings,
    mountAt: resolveMountAt(options.delivery),
    delivery: resolveDelivery(options.delivery, environment),
    credential: resolveCredential(options.credential, environment),
    isPortGiven: options.port !== undefined || Boolean(environment['PORT']),
    isKilledEarly: Boolean(environment['KUBERNETES_SERVICE_HOST']) && settings.drainMs >= KUBERNETES_GRACE_MS,
  };
}
