import { HealthStatus, type HealthCheck, type HealthCheckItem } from '@controlplane/contracts';
import { createTimestamps, type Clock, type TimerHandle } from '../util/clock.js';
import { sayThrown } from '../util/safe-json.js';

/** What a health check may say: nothing or `true` is healthy, `false` is not, a throw is not and says why. */
export type HealthCheckResult = boolean | void | { readonly status: HealthStatus; readonly message?: string };

/** Looks at one thing that the runner depends on. Bounded to five seconds. */
export type HealthCheckFunction = () => Promise<HealthCheckResult> | HealthCheckResult;

const CHECK_LIMIT_MS = 5_000;

/** The health of a runner and of what it depends on. */
export interface Health {
  /** Looks now; several callers at once share one look. */
  readonly check: () => Promise<HealthCheck>;
  /** What the last look found; healthy before the first. */
  readonly last: 'healthy' | 'degraded' | 'unhealthy';
}

/** What {@link createHealth} needs. */
export interface HealthOptions {
  readonly service: string;
  readonly version: string;
  readonly checks: Readonly<Record<string, HealthCheckFunction>>;
  readonly clock: Clock;
}

function toItem(result: HealthCheckResult): { status: HealthStatus; message?: string } {
  if (result === undefined || result === true) return { status: 'healthy' };
  if (result === false) return { status: 'unhealthy' };
  // Who writes no TypeScript may say anything; what it says is published as it is.
  const { status, message } = Object(result) as { readonly status?: unknown; readonly message?: unknown };
  const known = HealthStatus.safeParse(status);
  if (!known.success)
    return { status: 'unhealthy', message: 'the check answered neither a boolean nor { status, message }' };
  return { status: known.data, ...(message === undefined ? {} : { message: sayThrown(message) }) };
}

async function look(name: string, check: HealthCheckFunction, clock: Clock): Promise<HealthCheckItem> {
  const startedMs = clock.elapsed();
  let timer: TimerHandle | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = clock.setTimeout(
      () => reject(new Error(`did not answer within ${CHECK_LIMIT_MS} ms`)),
      CHECK_LIMIT_MS,
    );
  });
  const found = await Promise.race([Promise.resolve().then(check), limit]).then(toItem, (error: unknown) => ({
    status: 'unhealthy' as const,
    message: sayThrown(error),
  }));
  if (timer !== undefined) clock.clearTimeout(timer);
  return { name, responseTimeMs: Math.round(clock.elapsed() - startedMs), ...found };
}

function worst(items: readonly HealthCheckItem[]): 'healthy' | 'degraded' | 'unhealthy' {
  if (items.some(({ status }) => status === 'unhealthy')) return 'unhealthy';
  return items.some(({ status }) => status !== 'healthy') ? 'degraded' : 'healthy';
}

/** Makes the health of a runner. */
export function createHealth(options: HealthOptions): Health {
  const { service, version, checks, clock } = options;
  const timestamp = createTimestamps(clock);
  let last: Health['last'] = 'healthy';
  let looking: Promise<HealthCheck> | undefined;

  async function lookAtAll(): Promise<HealthCheck> {
    const items = await Promise.all(Object.entries(checks).map(([name, check]) => look(name, check, clock)));
    last = worst(items);
    return {
      service,
      status: last,
      timestamp: timestamp(),
      version,
      uptime: process.uptime(),
      checks: items,
    };
  }

  return {
    get last() {
      return last;
    },
    check: () =>
      (looking ??= lookAtAll().finally(() => {
        looking = undefined;
      })),
  };
}
