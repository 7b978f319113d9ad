import { createHash } from 'node:crypto';
import type { Demand, Terms } from '../model/demand.js';
import { markRefusal, refusalOf } from '../model/runner-status.js';
import type { LiveJob } from '../scheduler/live-job.js';
import { releaseInput, type LiveState } from '../scheduler/live-state.js';
import { toLiveJob, type RecoveryParts } from '../scheduler/recovery.js';
import type { JobPlace, ReplicaStore } from '../store/replica-store.js';
import { adoptJobs } from './adoption.js';

/** Jobs that wait here for each slot of the runners here, and at least: so that a slot is never idle for want of one. */
const WAITING_PER_SLOT = 4;
const MIN_WAITING = 100;
const MAX_CLAIMED = 500;

/** Which jobs a replica keeps, takes and leaves to others. */
export interface Claims {
  placeOf(job: LiveJob, kept: boolean): JobPlace;
  /** Takes what is nobody's and can be run here. Resolves to whether there may be more. */
  claim(): Promise<boolean>;
  /** Gives up what waits here and would sooner be run elsewhere. */
  release(): Promise<void>;
  /** Whether so little waits here that there is room for more. */
  hasRoom(): boolean;
}

export interface ClaimParts {
  readonly recovery: RecoveryParts;
  readonly store: () => ReplicaStore;
  /** No other replica is there. */
  readonly isAlone: () => boolean;
}

/** Whether a runner of this replica would take what is asked for, as soon as it has a free slot. */
function servesHere({ recovery: { registry, state } }: ClaimParts, demand: Demand): boolean {
  const now = state.clock.now();
  return registry
    .offers(demand)
    .some(
      ({ runner: { connected, vitals, marks } }) =>
        connected && (refusalOf(vitals, now) ?? markRefusal(marks)) === undefined,
    );
}

function roomOf({ recovery: { registry, state } }: ClaimParts): number {
  let slots = 0;
  for (const { connected, slots: own } of registry.entries()) if (connected) slots += own;
  return Math.max(MIN_WAITING, WAITING_PER_SLOT * slots) - state.ready.size;
}

/** Where an index holds them, keys are short. */
const MAX_LANE = 200;

function laneOf({ key }: Terms): string {
  return key.length <= MAX_LANE ? key : createHash('sha256').update(key).digest('base64url');
}

/** What a stored job asks for. */
function demandOfStored(state: LiveState, stored: Parameters<typeof toLiveJob>[1]): Demand {
  const job = toLiveJob(state, stored);
  releaseInput(state, job);
  return job.terms.demand;
}

async function claimLanes(parts: ClaimParts): Promise<boolean> {
  const { recovery, store } = parts;
  let more = false;
  for (const sample of await store().unownedLanes()) {
    const limit = Math.min(MAX_CLAIMED, roomOf(parts));
    if (limit <= 0) return true;
    if (!servesHere(parts, demandOfStored(recovery.state, sample))) continue;
    const jobs = await store().claim(sample.lane, limit);
    await adoptJobs(recovery, jobs);
    more ||= jobs.length === limit;
  }
  return more;
}

/** Jobs that wait here although no runner here can take them, and those beyond what runners here will soon take. */
function spare(parts: ClaimParts): LiveJob[] {
  const { state } = parts.recovery;
  const serves = new Map<string, boolean>();
  const isServed = (job: LiveJob): boolean => {
    const { demand, key } = job.terms;
    const known = serves.get(key) ?? servesHere(parts, demand);
    serves.set(key, known);
    return known;
  };
  const waiting = [...state.jobs.values()].filter(
    ({ phase, cancel, seq }) => phase === 'queued' && cancel === undefined && seq > 0,
  );
  if (state.stopping) return waiting;
  const served = waiting.filter(isServed);
  const kept = roomOf(parts) + state.ready.size;
  return [...waiting.filter((job) => !isServed(job)), ...served.slice(2 * kept)];
}

/** Takes a job out of memory that is somebody else's from now on. */
export function letGo(state: LiveState, job: LiveJob): void {
  if (job.phase === 'queued') state.ready.remove(job);
  state.concurrency.leave(job);
  state.jobs.delete(job.id);
  releaseInput(state, job);
  // Whoever still holds it sees that nothing is to be done with it here.
  job.phase = 'ended';
}

export function createClaims(parts: ClaimParts): Claims {
  const { recovery, store, isAlone } = parts;
  const { state } = recovery;
  return {
    placeOf(job, kept) {
      const { terms, rank, expiresAt } = job;
      const owned = kept || isAlone() || (servesHere(parts, terms.demand) && roomOf(parts) > 0);
      return { owned, lane: laneOf(terms), rank, expiresAt };
    },
    async claim() {
      if (state.stopping) return false;
      const expired = await store().claimExpired(state.clock.now(), MAX_CLAIMED);
      await adoptJobs(recovery, expired);
      return claimLanes(parts);
    },
    async release() {
      if (isAlone()) return;
      const jobs = spare(parts);
      if (jobs.length === 0) return;
      for (const job of jobs) letGo(state, job);
      // What was said of them before is on disk first: whoever takes them reads it.
      await new Promise<void>((resolve) => state.commit.passed(resolve));
      await store().release(
        jobs.map(({ seq }) => seq),
        undefined,
      );
      await store().announceWork();
    },
    hasRoom: () => roomOf(parts) > MIN_WAITING / 2,
  };
}
