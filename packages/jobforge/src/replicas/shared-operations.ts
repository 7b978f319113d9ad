import type { JobListQuery, JobResponse, RunnerHeartbeat } from '@controlplane/contracts';
import { LIBRARY, type Caller } from '../model/caller.js';
import type { Operations } from '../model/operations.js';
import { shownStatus } from '../model/job-state.js';
import type { Judge } from '../scheduler/artifacts.js';
import { isEnded, readCursor } from '../scheduler/job-queries.js';
import { toJobResponse } from '../scheduler/job-views.js';
import type { StoredJob } from '../store/store.js';
import { withHolder, withOwner } from './deeds.js';
import type { CallHandlers } from './replica-calls.js';
import type { ReplicaDesk } from './replica-desk.js';
import { runnerDeeds } from './runner-deeds.js';
import type { Summon } from './runner-moves.js';

/** What one replica does for another. */
export function sharedHandlers(operations: Operations): CallHandlers {
  const { cancelJob, retryJob, deregisterRunner, acceptExecution, recordEvents } = operations;
  const { drainRunner, disableRunner, enableRunner, deleteRunner, showRunner, verifyRunner } = operations;
  return {
    ...{ cancelJob, retryJob, deregisterRunner, acceptExecution, recordEvents },
    ...{ drainRunner, disableRunner, enableRunner, deleteRunner, showRunner, verifyRunner },
    async heartbeat(beat: RunnerHeartbeat, caller?: Caller) {
      // Whose it is nobody but the runner's own replica can tell.
      if (caller !== undefined) operations.checkOwner(caller, { beatOf: beat.runnerId });
      return operations.heartbeat(beat, caller);
    },
  };
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

type RecordDeeds = Pick<
  Operations,
  | 'createToken'
  | 'revokeToken'
  | 'revokeRunner'
  | 'rotateRunnerSecret'
  | 'deleteRunner'
  | 'setSecret'
  | 'deleteSecret'
  | 'createWebhook'
  | 'deleteWebhook'
>;

/** What changes records that every replica has in memory: where it is answered, those that are there have read them. */
function recordDeeds(
  { operations, store, calls }: ReplicaDesk,
  { deleteRunner }: Pick<Operations, 'deleteRunner'>,
): RecordDeeds {
  const tellOthers = async (): Promise<void> => {
    // Whoever does not answer reads them with its next beat.
    const others = await store()
      .others()
      .catch(() => []);
    await Promise.allSettled(others.map(({ id }) => calls.ask(id, { name: 'reloadRecords', args: [] })));
  };
  const told =
    <Args extends readonly unknown[], T>(deed: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      const done = await deed(...args);
      await tellOthers();
      return done;
    };
  return {
    createToken: told(operations.createToken),
    revokeToken: told(operations.revokeToken),
    revokeRunner: told(operations.revokeRunner),
    rotateRunnerSecret: told(operations.rotateRunnerSecret),
    deleteRunner: told(deleteRunner),
    setSecret: told(operations.setSecret),
    deleteSecret: told(operations.deleteSecret),
    createWebhook: told(operations.createWebhook),
    deleteWebhook: told(operations.deleteWebhook),
  };
}

/** The job of the execution that a lease token is the right to, whichever replica has it. */
const judge = (desk: ReplicaDesk, ...[id, leaseToken, purpose]: Parameters<Judge>): Promise<string> =>
  withHolder(desk, {
    name: 'judgeLease',
    // No token is empty.
    args: purpose === undefined ? [id, leaseToken ?? ''] : [id, leaseToken ?? '', purpose],
    here: async () => desk.files.artifacts.judge(id, leaseToken, purpose),
  });

/** The operations of one replica, for callers that do not know which of them has what they ask for. */
export function sharedOperations(desk: ReplicaDesk, summon: Summon): Operations {
  const { operations } = desk;
  const ofRunners = runnerDeeds(desk);
  return {
    ...operations,
    ...ofRunners,
    ...recordDeeds(desk, ofRunners),
    listJobs: listing(desk, operations),
    cancelJob: (id, reason = 'user', actor = LIBRARY) =>
      withOwner(desk, id, {
        name: 'cancelJob',
        args: [id, reason, actor],
        here: () => operations.cancelJob(id, reason, actor),
      }),
    retryJob: (id, actor = LIBRARY) =>
      withOwner(desk, id, {
        name: 'retryJob',
        args: [id, actor],
        here: () => operations.retryJob(id, actor),
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
    // The file is kept here: only whether it may be is asked of whoever has the execution.
    putArtifact: (id, upload) =>
      desk.files.artifacts.put(id, upload, () => judge(desk, id, upload.leaseToken)),
    putResult: (id, { body, leaseToken }) =>
      desk.files.jobFiles.putResult(body, () => judge(desk, id, leaseToken, 'result')),
    getFile: (sha256, source) =>
      'executionId' in source
        ? desk.files.jobFiles.ofExecution(sha256, () => judge(desk, source.executionId, source.leaseToken))
        : operations.getFile(sha256, source),
    async pollRunner(id, request) {
      // Whoever polls here is here from now on.
      if (desk.recovery.registry.get(id) === undefined && desk.homes.homeOf(id) !== undefined)
        await summon(id);
      return operations.pollRunner(id, request);
    },
  };
}
