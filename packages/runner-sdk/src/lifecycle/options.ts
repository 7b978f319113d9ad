import { DEFAULTS, DurationMs, Identifier } from '@controlplane/contracts';
import { z } from 'zod';
import { RunnerError } from '../errors/runner-error.js';
import { EXECUTOR_LIMITS } from '../execution/executor.js';
import type { DeliveryKind } from '../hosts/control-plane/control-plane.js';
import { credentialFrom, type CredentialSource } from '../hosts/credential-source.js';
import { LOG_LEVELS } from '../util/logger.js';
import { resolveSettings, splitPairs, splitWords, type Resolved, type Settings } from '../util/setting.js';
import type { RunnerOptions } from './runner-options.js';

const count = z.coerce.number().int().positive();
const duration = z.coerce.number().pipe(DurationMs);
const httpUrl = z.url({ protocol: /^https?$/ });

/** Every option that can come from the environment: its variable, what it must be, and its default. */
const SETTINGS = {
  name: { variables: ['RUNNER_NAME'], schema: z.string().min(1).max(128), fallback: undefined },
  version: { variables: ['RUNNER_VERSION'], schema: z.string().min(1), fallback: '0.0.0' },
  controlPlaneUrl: {
    variables: ['JOBFORGE_URL'],
    schema: httpUrl,
    fallback: `http://127.0.0.1:${DEFAULTS.jobForgePort}`,
  },
  port: {
    variables: ['PORT'],
    schema: z.coerce.number().int().min(0).max(65_535),
    fallback: DEFAULTS.runnerPort,
  },
  host: { variables: ['HOST'], schema: z.string().min(1), fallback: '127.0.0.1' },
  publicUrl: { variables: ['RUNNER_PUBLIC_URL'], schema: httpUrl.optional(), fallback: undefined },
  maxConcurrency: {
    variables: ['RUNNER_MAX_CONCURRENCY'],
    schema: count.max(100_000),
    fallback: DEFAULTS.runnerSlots,
  },
  labels: {
    variables: ['RUNNER_LABELS'],
    schema: z.record(z.string(), z.string()),
    fallback: {},
    split: splitPairs,
  },
  tags: { variables: ['RUNNER_TAGS'], schema: z.array(z.string()), fallback: [], split: splitWords },
  machineId: { variables: ['RUNNER_MACHINE_ID'], schema: Identifier.optional(), fallback: undefined },
  buildId: { variables: ['RUNNER_BUILD_ID'], schema: z.string().max(256).optional(), fallback: undefined },
  stateDirectory: {
    variables: ['RUNNER_STATE_DIR'],
    schema: z.string().min(1).optional(),
    fallback: undefined,
  },
  maxJobs: { variables: ['RUNNER_MAX_JOBS'], schema: count.optional(), fallback: undefined },
  idleTimeoutMs: { variables: ['RUNNER_IDLE_TIMEOUT_MS'], schema: duration.optional(), fallback: undefined },
  maxUptimeMs: { variables: ['RUNNER_MAX_UPTIME_MS'], schema: duration.optional(), fallback: undefined },
  drainMs: { variables: ['RUNNER_DRAIN_MS'], schema: duration, fallback: DEFAULTS.drainMs },
  cancelGraceMs: {
    variables: ['RUNNER_CANCEL_GRACE_MS'],
    schema: duration,
    fallback: DEFAULTS.cancelGraceMs,
  },
  maxLogBytes: { variables: ['RUNNER_MAX_LOG_BYTES'], schema: count, fallback: EXECUTOR_LIMITS.maxLogBytes },
  maxBodyBytes: { variables: ['RUNNER_MAX_BODY_BYTES'], schema: count, fallback: DEFAULTS.maxBodyBytes },
  logLevel: { variables: ['LOG_LEVEL'], schema: z.enum(LOG_LEVELS), fallback: 'info' },
} as const satisfies Partial<Settings<keyof RunnerOptions>>;

/** Options with every default filled. */
export type ResolvedOptions = Resolved<typeof SETTINGS> & {
  readonly mountAt: string | undefined;
  readonly delivery: DeliveryKind;
  readonly credential: CredentialSource | undefined;
  /** Somebody wants the runner to listen, however work arrives. */
  readonly isPortGiven: boolean;
  /** The platform is likely to end the process before a drain is over. */
  readonly isKilledEarly: boolean;
};

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
  if (given === undefined) return credentialFrom(environment, 'RUNNER_TOKEN');
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
  const settings = resolveSettings(SETTINGS, options, environment);
  if (!Array.isArray(options.capabilities) || options.capabilities.length === 0) {
    throw new RunnerError(
      'INVALID_OPTION',
      'option "capabilities" is empty: a runner needs at least one capability, made by defineCapability',
    );
  }
  return {
    ...settings,
    mountAt: resolveMountAt(options.delivery),
    delivery: resolveDelivery(options.delivery, environment),
    credential: resolveCredential(options.credential, environment),
    isPortGiven: options.port !== undefined || Boolean(environment['PORT']),
    isKilledEarly: Boolean(environment['KUBERNETES_SERVICE_HOST']) && settings.drainMs >= KUBERNETES_GRACE_MS,
  };
}
