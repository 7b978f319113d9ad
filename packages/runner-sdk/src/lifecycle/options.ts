import { DEFAULTS, DurationMs, Identifier } from '@controlplane/contracts';
import { z } from 'zod';
import type { Middleware } from '../capability/middleware.js';
import type { Capability } from '../capability/capability.js';
import { RunnerError } from '../errors/runner-error.js';
import { EXECUTOR_LIMITS } from '../execution/executor.js';
import type { Host } from '../hosts/host.js';
import type { OnMetric } from '../observability/metrics.js';
import type { Tracing } from '../observability/tracing.js';
import type { Clock } from '../util/clock.js';
import { LOG_LEVELS, type Logger, type LoggerLevel } from '../util/logger.js';
import type { HealthCheckFunction } from './health.js';

/** How work reaches the runner. */
export interface PushDeliveryChoice {
  readonly kind: 'push';
  /**
   * Path under which an existing application mounts `runner.router()`, such as `/runner`. Set, the runner does
   * not listen: the application does.
   */
  readonly mountAt?: string | undefined;
}

/** What {@link createRunner} is told. What is left out comes from the environment, then from the default. */
export interface RunnerOptions {
  /** Name of the runner, 1–128 characters. Environment: `RUNNER_NAME`. Required in one of the two. */
  readonly name?: string | undefined;
  /** Version of the program that runs. Environment: `RUNNER_VERSION`. Default: `0.0.0`. */
  readonly version?: string | undefined;
  /** What the runner can do; at least one. */
  readonly capabilities: readonly Capability[];
  /** URL of the control plane. Environment: `JOBFORGE_URL`. Default: `http://127.0.0.1:3002`. */
  readonly controlPlaneUrl?: string | undefined;
  /** Port to listen on; 0 takes a free one. Environment: `PORT`. Default: 3000. */
  readonly port?: number | undefined;
  /** Address to listen on. Environment: `HOST` (in a container `0.0.0.0`). Default: `127.0.0.1`. */
  readonly host?: string | undefined;
  /**
   * URL by which the control plane reaches this server. Environment: `RUNNER_PUBLIC_URL`. Default: derived from
   * address and port. `mountAt` is added to it.
   */
  readonly publicUrl?: string | undefined;
  /** Default: push, with a server of the runner's own. */
  readonly delivery?: 'push' | PushDeliveryChoice | undefined;
  /**
   * Who sends work: several at once share the runner's slots. Default: one control plane, made from
   * `controlPlaneUrl` and `delivery`.
   */
  readonly hosts?: readonly Host[] | undefined;
  /** Executions that run at once, over all capabilities. Environment: `RUNNER_MAX_CONCURRENCY`. Default: 10. */
  readonly maxConcurrency?: number | undefined;
  /** Words that jobs can ask for. Environment: `RUNNER_LABELS` (`region=eu,gpu=yes`). Default: none. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Environment: `RUNNER_TAGS` (`a,b`). Default: none. */
  readonly tags?: readonly string[] | undefined;
  /** Identity of this machine, kept across restarts. Environment: `RUNNER_MACHINE_ID`. Default: none. */
  readonly machineId?: string | undefined;
  /** The build that runs, such as a commit. Environment: `RUNNER_BUILD_ID`. Default: none. */
  readonly buildId?: string | undefined;
  /** Stands around every handler, the first outermost. Default: none. */
  readonly use?: readonly Middleware[] | undefined;
  /** Things that `/health` looks at, by name. Default: none. */
  readonly healthChecks?: Readonly<Record<string, HealthCheckFunction>> | undefined;
  /** Milliseconds that running executions get to finish in when the runner stops. Environment: `RUNNER_DRAIN_MS`. Default: 25,000. */
  readonly drainMs?: number | undefined;
  /** Milliseconds between telling a handler to stop and giving it up. Environment: `RUNNER_CANCEL_GRACE_MS`. Default: 10,000. */
  readonly cancelGraceMs?: number | undefined;
  /** Bytes of log that one execution may send; the rest is counted. Environment: `RUNNER_MAX_LOG_BYTES`. Default: 1 MB. */
  readonly maxLogBytes?: number | undefined;
  /** Bytes of one request. Environment: `RUNNER_MAX_BODY_BYTES`. Default: 4 MB. */
  readonly maxBodyBytes?: number | undefined;
  /** Handle SIGTERM and SIGINT. Default: true when the runner listens itself, false when it is mounted. */
  readonly handleSignals?: boolean | undefined;
  /** Any pino-compatible logger; `false` for none. Default: JSON lines on standard error. */
  readonly logger?: Logger | false | undefined;
  /** Least level of the default logger. Environment: `LOG_LEVEL`. Default: `info`. */
  readonly logLevel?: LoggerLevel | undefined;
  /**
   * A thread that sends the heartbeats while the event loop is blocked, so that a handler that computes for long keeps
   * its lease. It takes about 9 MB. Default: true; never with a `fetch` or `clock` of one's own, which a thread cannot use.
   */
  readonly watchdog?: boolean | undefined;
  /** Makes a span of each execution: `openTelemetry()` of `@controlplane/runner-sdk/opentelemetry`. Default: none. */
  readonly tracing?: Tracing | undefined;
  /** Called with each measurement as it is made; what it throws is logged once. Default: nothing is measured. */
  readonly onMetric?: OnMetric | undefined;
  /** Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Where time comes from; for tests. */
  readonly clock?: Clock | undefined;
  /** A number in [0, 1), for jitter; for tests. Default: `Math.random`. */
  readonly random?: (() => number) | undefined;
}

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

function checkDelivery(delivery: unknown): void {
  const kind = typeof delivery === 'object' && delivery !== null ? Reflect.get(delivery, 'kind') : delivery;
  if (kind === undefined || kind === 'push') return;
  throw new RunnerError(
    'INVALID_OPTION',
    `option "delivery" is ${JSON.stringify(kind)}; this version delivers by "push" alone`,
  );
}

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
  checkDelivery(options.delivery);
  return { ...resolved, mountAt: resolveMountAt(options.delivery) } as ResolvedOptions;
}
