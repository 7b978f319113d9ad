import type { RunnerStatusReport, RunningExecutionStatus } from '@controlplane/contracts';
import type { Slots } from '../execution/admission.js';
import type { ExecutionObserver } from '../execution/execution-observer.js';
import type { RunningExecution } from '../execution/running-executions.js';
import type { Clock } from '../util/clock.js';

/** Executions that ended, by outcome. */
export type EndedCounts = NonNullable<RunnerStatusReport['ended']>;

/** Counts executions as they end. What was refused or turned out not to be this runner's counts nowhere. */
export function createEndedCounts(): { readonly ended: EndedCounts; readonly observer: ExecutionObserver } {
  const ended: EndedCounts = { succeeded: 0, failed: 0, cancelled: 0 };
  return {
    ended,
    observer: {
      started: () => undefined,
      ended: (_, event) => {
        if (event) ended[event.type]++;
      },
    },
  };
}

/** What a status report is made of. */
export interface StatusOptions {
  readonly name: string;
  readonly version: string;
  readonly instanceId: string;
  readonly clock: Clock;
  readonly slots: Pick<Slots, 'taken' | 'max'>;
  readonly ended: EndedCounts;
  readonly executions: () => readonly RunningExecution[];
  readonly state: () => string;
  readonly runnerId: () => string | undefined;
  readonly reasons: () => string[];
  /** By the clock's `now`: when a drain is over at the latest; undefined while there is none. */
  readonly drainEndsAt: () => number | undefined;
  /** How work arrives, such as `push`. */
  readonly delivery: () => string | undefined;
  /** Results that the control plane has not acknowledged. */
  readonly unacknowledged: () => number;
}

function toStatus(
  { request, capability, startedMs, channel }: RunningExecution,
  clock: Clock,
): RunningExecutionStatus {
  const { executionId, jobId, attempt } = request;
  const startedAt = new Date(clock.now() - (clock.elapsed() - startedMs)).toISOString();
  const { progress } = channel;
  return {
    executionId,
    jobId,
    capabilityId: capability.id,
    attempt,
    startedAt,
    ...(progress && {
      progress: {
        fraction: progress.fraction,
        ...(progress.message === undefined ? {} : { message: progress.message }),
      },
    }),
  };
}

/** Makes what `GET /status` answers. */
export function createStatus(options: StatusOptions): () => RunnerStatusReport {
  const { name, version, instanceId, clock, slots } = options;
  return () => {
    const runnerId = options.runnerId();
    const delivery = options.delivery();
    const endsAt = options.drainEndsAt();
    return {
      name,
      version,
      instanceId,
      state: options.state(),
      ...(runnerId === undefined ? {} : { runnerId }),
      ...(delivery === undefined ? {} : { delivery }),
      ...(endsAt === undefined ? {} : { safeToTerminateAt: new Date(endsAt).toISOString() }),
      uptime: process.uptime(),
      reasons: options.reasons(),
      slots: { used: slots.taken, total: slots.max },
      executions: options.executions().map((execution) => toStatus(execution, clock)),
      ended: { ...options.ended },
      unacknowledged: options.unacknowledged(),
    };
  };
}
