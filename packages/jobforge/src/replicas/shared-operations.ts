import type { JobListQuery, JobResponse, RunnerMetadata } from '@controlplane/contracts';
import { isJobForgeError } from '../model/job-forge-error.js';
import type { Operations } from '../model/operations.js';
import { shownStatus } from '../model/job-state.js';
import { isEnded, readCursor } from '../scheduler/job-queries.js';
import { toJobResponse } from '../scheduler/job-views.js';
import type { StoredJob } from '../store/store.js';
import { adoptJobs } from './adoption.js';
import { summonRunner } from './runner-moves.js';
import type { CallHandlers } from './replica-calls.js';
import type { ReplicaDesk } from './replica-desk.js';

/** What one replica does for another. */
export function sharedHandlers(operations: Operations): CallHandlers {
  const { cancelJob, retryJob, heartbeat, deregisterRunner, acceptExecution, recordEvents } = operations;
  const { drainRunner, disableRunner, enableRunner, deleteRunner, showRunner } = operations;
  return {
    ...{ cancelJob, retryJob, heartbeat, deregisterRunner, acceptExecution, recordEvents },
    ...{ drainRunner, disableRunner, enableRunner, deleteRunner, showRunner },
  };
}

const runnersOf = (runners: string): RunnerMetadata[] => JSON.parse(runners) as RunnerMetadata[];

/** The replica that has a runner; undefined where none has. */
function homeOf({ others }: ReplicaDesk, runnerId: string): number | undefined {
  return others().find(({ runners }) => runnersOf(runners).some(({ id }) => id === runnerId))?.id;
}

function refusesWith(error: unknown, code: string): boolean {
  return isJobForgeError(error) && error.envelope.code === code;
}

/** A job between two replicas is nobody's for a moment. */
const TRIES = 40;
const BETWEEN_MS = 50;

/** Has whoever has a job do something with it; takes it where it is nobody's. */
async function withOwner<T>(desk: ReplicaDesk, id: string, { name, args, here }: Deed<T>): Promise<T> {
  const { state } = desk.recovery;
  for (let tries = 1; tries < TRIES; tries += 1) {
    if (state.jobs.has(id)) return here();
    const owner = await desk.store().ownerOf(id);
    if (owner === undefined) {
      const taken = await desk.inTurn(async () => {
        const job = await desk.store().claimJob(id);
        if (job !== undefined) await adoptJobs(desk.recovery, [job]);
        return job !== undefined;
      });
      if (!taken) return here();
    } else if (owner !== desk.store().id) return (await desk.calls.ask(owner, name, args)) as T;
    else await new Promise<void>((resolve) => void state.clock.after(BETWEEN_MS, resolve));
  }
  return here();
}

interface Deed<T> {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly here: () => Promise<T>;
}

/** Has the replica that has a runner do something with it, where this one has not. */
async function withHome<T>(desk: ReplicaDesk, runnerId: string, deed: Deed<T>): Promise<T> {
  if (desk.recovery.registry.get(runnerId) !== undefined) return deed.here();
  const home = homeOf(desk, runnerId);
  return home === undefined ? deed.here() : ((await desk.calls.ask(home, deed.name, deed.args)) as T);
}

/** Asks the others, one after the other, about an execution that this one does not know. */
async function withHolder<T>(desk: ReplicaDesk, deed: Deed<T>): Promise<T> {
  try {
    return await deed.here();
  } catch (error) {
    if (!refusesWith(error, 'EXECUTION_NOT_FOUND')) throw error;
    for (const { id } of desk.others()) {
      try {
        return (await desk.calls.ask(id, deed.name, deed.args)) as T;
      } catch (refusal) {
        if (!refusesWith(refusal, 'EXECUTION_NOT_FOUND')) throw refusal;
      }
    }
    throw error;
  }
}

/** Jobs that have not ended, wherever they are. */
function listing(
  { recovery: { state }, store }: ReplicaDesk,
  { listJobs }: Operations,
): Operations['listJobs'] {
  const matches = (stored: StoredJob, { status, type }: JobListQuery): boolean => {
    if (type !== undefined && type !== stored.type) return false;
    const live = state.jobs.get(stored.id);
    return (
      status === (live === undefined ? toJobResponse(stored, undefined).status : shownStatus(live.phase))
    );
  };
  return async (query) => {
    const { status, limit, cursor } = query;
    if (status === undefined || isEnded(status)) return listJobs(query);
    const items: JobResponse[] = [];
    for (let before = readCursor(cursor); ;) {
      const page = await store().unfinished({ before, limit: PAGE });
      for (const stored of page) {
        if (items.length === limit) return { items, nextCursor: String(before) };
        before = stored.seq;
        if (matches(stored, query)) items.push(toJobResponse(stored, state.jobs.get(stored.id)));
      }
      if (page.length < PAGE) return { items };
    }
  };
}

const PAGE = 500;

type RunnerDeeds = Pick<
  Operations,
  'listRunners' | 'showRunner' | 'drainRunner' | 'disableRunner' | 'enableRunner' | 'deleteRunner'
>;

function runnerDeeds(desk: ReplicaDesk): RunnerDeeds {
  const { operations } = desk;
  return {
    async listRunners() {
      const own = await operations.listRunners();
      const known = new Set(own.map(({ id }) => id));
      const elsewhere = desk.others().flatMap(({ runners }) => runnersOf(runners));
      return [...own, ...elsewhere.filter(({ id }) => !known.has(id))];
    },
    showRunner: (id) =>
      withHome(desk, id, { name: 'showRunner', args: [id], here: () => operations.showRunner(id) }),
    drainRunner: (id, request) =>
      withHome(desk, id, {
        name: 'drainRunner',
        args: [id, request],
        here: () => operations.drainRunner(id, request),
      }),
    disableRunner: (id, request) =>
      withHome(desk, id, {
        name: 'disableRunner',
        args: [id, request],
        here: () => operations.disableRunner(id, request),
      }),
    enableRunner: (id) =>
      withHome(desk, id, { name: 'enableRunner', args: [id], here: () => operations.enableRunner(id) }),
    deleteRunner: (id, query) =>
      withHome(desk, id, {
        name: 'deleteRunner',
        args: [id, query],
        here: () => operations.deleteRunner(id, query),
      }),
  };
}

/** The operations of one replica, for callers that do not know which of them has what they ask for. */
export function sharedOperations(desk: ReplicaDesk): Operations {
  const { operations } = desk;
  return {
    ...operations,
    ...runnerDeeds(desk),
    listJobs: listing(desk, operations),
    cancelJob: (id, reason) =>
      withOwner(desk, id, {
        name: 'cancelJob',
        args: reason === undefined ? [id] : [id, reason],
        here: () => operations.cancelJob(id, reason),
      }),
    retryJob: (id) =>
      withOwner(desk, id, { name: 'retryJob', args: [id], here: () => operations.retryJob(id) }),
    heartbeat: (beat) =>
      withHome(desk, beat.runnerId, {
        name: 'heartbeat',
        args: [beat],
        here: () => operations.heartbeat(beat),
      }),
    deregisterRunner: (id, request) =>
      withHome(desk, id, {
        name: 'deregisterRunner',
        args: [id, request],
        here: () => operations.deregisterRunner(id, request),
      }),
    acceptExecution: (id, request) =>
      withHolder(desk, {
        name: 'acceptExecution',
        args: [id, request],
        here: () => operations.acceptExecution(id, request),
      }),
    recordEvents: (id, request) =>
      withHolder(desk, {
        name: 'recordEvents',
        args: [id, request],
        here: () => operations.recordEvents(id, request),
      }),
    async pollRunner(id, request) {
      // Whoever polls here is here from now on.
      if (desk.recovery.registry.get(id) === undefined && homeOf(desk, id) !== undefined)
        await summonRunner(desk, id);
      return operations.pollRunner(id, request);
    },
  };
}
