import { randomUUID } from 'node:crypto';
import { leaseToText, type Lease } from '../model/lease.js';
import { moveJob } from '../model/job-state.js';
import { place, type Offer } from '../model/placement.js';
import type { Dispatcher } from './dispatcher.js';
import type { Execution, LiveJob, RunnerEntry } from './live-job.js';
import { newId } from './new-id.js';
import type { LiveState } from './live-state.js';
import { demandOf, goesFirst, type ReadyLane } from './ready-queue.js';
import { occupySlot } from './runner-entry.js';
import type { RunnerRegistry } from './runner-registry.js';

/** Gives waiting jobs to runners. One loop: whatever changes wakes it, nothing calls it. */
export interface Scheduler {
  /** Looks for work to place; for {@link LiveState.wake}. */
  run(): void;
  /** Takes a slot for a job that is being submitted, where one is free and nobody waits for it. */
  takeSlot(job: LiveJob): Execution | undefined;
}

/** The limit of one attempt: the job's own, else its capability's. */
function timeoutOf(job: LiveJob, offer: Offer<RunnerEntry>): number {
  return job.timeoutMs ?? offer.capability.timeoutMs;
}

/** An execution of a job on a runner, its slot taken. */
export function createExecution(
  job: LiveJob,
  runner: RunnerEntry,
  from: { lease: Lease; timeoutMs: number; recovered: boolean; announces: boolean },
): Execution {
  const execution: Execution = {
    job,
    runner,
    lease: from.lease,
    timeoutMs: from.timeoutMs,
    recovered: from.recovered,
    attempt: job.attempt + 1,
    phase: 'open',
    offeredAt: 0,
    startedAt: 0,
    leaseUntil: Infinity,
    deadlineAt: Infinity,
    seenSeq: -1,
    priorEventSeq: job.lastEventSeq,
    brokenSince: 0,
    breaks: 0,
    cancelledAt: 0,
    writing: false,
    announces: from.announces,
    endSeq: undefined,
  };
  job.execution = execution;
  occupySlot(execution);
  return execution;
}

export interface SchedulerParts {
  readonly state: LiveState;
  readonly registry: RunnerRegistry;
  readonly dispatcher: Dispatcher;
}

export function createScheduler({ state, registry, dispatcher }: SchedulerParts): Scheduler {
  const reserve = (job: LiveJob, offer: Offer<RunnerEntry>): Execution => {
    const { runner, capability } = offer;
    const lease: Lease = {
      executionId: newId(),
      token: randomUUID(),
      runnerId: runner.id,
      instanceId: runner.registration.instanceId,
      capabilityId: capability.id,
      writes: capability.effects === 'writes',
    };
    const execution = createExecution(job, runner, {
      lease,
      timeoutMs: timeoutOf(job, offer),
      recovered: false,
      announces: capability.announcesWrites,
    });
    state.executions.set(lease.executionId, execution);
    return execution;
  };

  const lease = (job: LiveJob, offer: Offer<RunnerEntry>): void => {
    const execution = reserve(job, offer);
    moveJob(job, 'leased');
    state.commit.keep({ kind: 'lease-job', seq: job.seq, lease: leaseToText(execution.lease) }, () =>
      dispatcher.send(execution),
    );
  };

  const nextLane = (lanes: readonly ReadyLane[]): ReadyLane | undefined => {
    let best: ReadyLane | undefined;
    let bestJob: LiveJob | undefined;
    for (const lane of lanes) {
      const job = lane.peek();
      if (job === undefined || (bestJob !== undefined && !goesFirst(job, bestJob))) continue;
      best = lane;
      bestJob = job;
    }
    return best;
  };

  return {
    run() {
      if (state.stopping || state.ready.size === 0) return;
      let lanes = [...state.ready.lanes()];
      for (let lane = nextLane(lanes); lane !== undefined; lane = nextLane(lanes)) {
        const offer = place(registry.offers(lane.demand), state.clock.now());
        const job = offer === undefined ? undefined : lane.take();
        if (offer === undefined || job === undefined) lanes = lanes.filter((other) => other !== lane);
        else lease(job, offer);
      }
    },
    takeSlot(job) {
      const demand = demandOf(job);
      if (state.stopping || state.ready.isWaiting(demand)) return undefined;
      const offer = place(registry.offers(demand), state.clock.now());
      return offer === undefined ? undefined : reserve(job, offer);
    },
  };
}
