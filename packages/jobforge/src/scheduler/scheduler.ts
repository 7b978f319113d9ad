import { leaseToText, type Lease } from '../model/lease.js';
import { moveJob } from '../model/job-state.js';
import { place } from '../model/placement.js';
import type { Demand, Terms } from '../model/demand.js';
import type { Dispatcher } from './dispatcher.js';
import type { Execution, LiveJob, RunnerEntry } from './live-job.js';
import { newId, newLeaseToken } from './new-id.js';
import type { LiveState } from './live-state.js';
import { occupy } from './occupancy.js';
import type { CapabilityRate } from './rate-limits.js';
import type { Lane, Pool } from './ready-lane.js';
import type { RunnerOffer } from './runner-offers.js';
import type { RunnerRegistry } from './runner-registry.js';

/** Gives waiting jobs to runners. One loop: whatever changes wakes it, nothing calls it. */
export interface Scheduler {
  /** Looks for work to place; for {@link LiveState.wake}. */
  run(): void;
  /** Takes a slot for a job that is being submitted, where one is free and nobody waits for it. */
  takeSlot(job: LiveJob): Execution | undefined;
}

/** The limit of one attempt: the job's own, else its capability's. */
function timeoutOf(job: LiveJob, offer: RunnerOffer): number {
  return job.timeoutMs ?? offer.capability.timeoutMs;
}

/** An execution of a job on a runner, its slot taken. */
export function createExecution(
  state: LiveState,
  { job, runner }: { readonly job: LiveJob; readonly runner: RunnerEntry },
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
    hides: undefined,
    endSeq: undefined,
  };
  job.execution = execution;
  occupy(state, execution);
  return execution;
}

export interface SchedulerParts {
  readonly state: LiveState;
  readonly registry: RunnerRegistry;
  readonly dispatcher: Dispatcher;
}

/** Takes a slot for a job. */
function reserve(state: LiveState, job: LiveJob, offer: RunnerOffer): Execution {
  const { runner, capability } = offer;
  const lease: Lease = {
    executionId: newId(),
    token: newLeaseToken(),
    runnerId: runner.id,
    instanceId: runner.registration.instanceId,
    capabilityId: capability.id,
    writes: capability.effects === 'writes',
    since: state.sharing && state.clock.now(),
  };
  const timeoutMs = timeoutOf(job, offer);
  const announces = capability.announcesWrites;
  const execution = createExecution(
    state,
    { job, runner },
    { lease, timeoutMs, recovered: false, announces },
  );
  offer.rate?.take();
  state.executions.set(lease.executionId, execution);
  return execution;
}

function lease({ state, dispatcher }: SchedulerParts, job: LiveJob, offer: RunnerOffer): void {
  const execution = reserve(state, job, offer);
  moveJob(job, 'leased');
  state.commit.keep({ kind: 'lease-job', seq: job.seq, lease: leaseToText(execution.lease) }, () =>
    dispatcher.send(execution),
  );
}

/** The runner that an affinity key keeps jobs on, where that can do what is asked for. */
function pinOf({ state, registry }: SchedulerParts, { demand, affinity }: Terms): RunnerEntry | undefined {
  if (affinity === undefined) return undefined;
  const runner = state.affinity.of(affinity);
  return runner !== undefined && registry.offerOf(demand, runner) ? runner : undefined;
}

function offersTo(
  { registry }: SchedulerParts,
  demand: Demand,
  pin: RunnerEntry | undefined,
): readonly RunnerOffer[] {
  const only = pin && registry.offerOf(demand, pin);
  return only === undefined ? registry.offers(demand) : [only];
}

/** Sets pools aside until one of their runners changes, or the time has come at which a rate lets more through. */
function createSetAside({
  ready,
  agenda,
  clock,
  look,
}: Clockwork): (pool: Pool, offers: readonly RunnerOffer[]) => void {
  const awaited = new Set<CapabilityRate>();
  const awaitRate = (rate: CapabilityRate, now: number): void => {
    if (awaited.has(rate)) return;
    awaited.add(rate);
    agenda.add(rate.nextAt(now), () => {
      awaited.delete(rate);
      ready.release(rate);
      look();
    });
  };
  return (pool, offers) => {
    const now = clock.now();
    const rates = new Set(
      offers.flatMap(({ rate }) => (rate === undefined || rate.admits(now) ? [] : [rate])),
    );
    ready.block(pool, [...offers.map(({ runner }) => runner), ...rates]);
    for (const rate of rates) awaitRate(rate, now);
  };
}

interface Clockwork extends Pick<LiveState, 'ready' | 'agenda' | 'clock'> {
  look(): void;
}

export function createScheduler(parts: SchedulerParts): Scheduler {
  const { state } = parts;
  const { ready, agenda, clock } = state;
  const setAside = createSetAside({ ready, agenda, clock, look: () => state.look() });

  /** Places the next job of a pool, or sets aside what cannot be placed. */
  const advance = (pool: Pool, lane: Lane): void => {
    const { demand, concurrency } = lane.terms;
    const pin = pinOf(parts, lane.terms);
    if (pin !== pool.pin) return ready.move(lane, pin);
    if (concurrency !== undefined && !state.concurrency.admits(concurrency)) return ready.hold(lane);
    const offers = offersTo(parts, demand, pin);
    const offer = place(offers, clock.now());
    if (offer === undefined) return setAside(pool, offers);
    const job = ready.take(lane);
    if (job !== undefined) lease(parts, job, offer);
  };

  return {
    run() {
      if (state.stopping) return;
      for (let pool = ready.first(); pool !== undefined; pool = ready.first()) {
        const lane = pool.lanes.peek();
        if (lane === undefined) ready.block(pool, []);
        else advance(pool, lane);
      }
    },
    takeSlot(job) {
      const { demand, concurrency } = job.terms;
      const pin = pinOf(parts, job.terms);
      if (state.stopping || ready.isWaiting(job.terms, pin)) return undefined;
      if (concurrency !== undefined && !state.concurrency.admits(concurrency)) return undefined;
      const offer = place(offersTo(parts, demand, pin), clock.now());
      return offer === undefined ? undefined : reserve(state, job, offer);
    },
  };
}
