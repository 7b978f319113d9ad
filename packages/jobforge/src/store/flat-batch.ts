import type { FinishJob, InsertJob, Outcome, StoreOperation } from './store.js';

/**
 * A batch as one list of plain values: handed to a thread, it costs a third of the objects that it stands for. A text
 * that is the one before it in the same place is `null`: most jobs of a batch have type, head and runner in common.
 */
export type FlatBatch = readonly (string | number | null | undefined | StoreOperation)[];

/** What comes next in a flat batch. Every job comes by the first two; all else goes as it is. */
const [INSERT, FINISH, OTHER] = [0, 1, 2];
const FIELDS_OF_INSERT = 7;
const FIELDS_OF_FINISH = 15;

/** The texts that operations share, as they were in the one before. */
interface Shared {
  type: string | undefined;
  head: string | undefined;
  state: InsertJob['state'] | undefined;
  status: FinishJob['status'] | undefined;
  runnerId: string | undefined;
  runnerVersion: string | undefined;
  capability: string | undefined;
}

const nothingShared = (): Shared => ({
  type: undefined,
  head: undefined,
  state: undefined,
  status: undefined,
  runnerId: undefined,
  runnerVersion: undefined,
  capability: undefined,
});

const unless = <Text>(text: Text, before: Text | undefined): Text | null =>
  text === before && text !== undefined ? null : text;

/** Leaves out what a store that is not shared has no use for. */
export function flattened(batch: readonly StoreOperation[]): FlatBatch {
  const flat: (string | number | null | undefined | StoreOperation)[] = [];
  const shared = nothingShared();
  for (const operation of batch) {
    if (operation.kind === 'insert-job') {
      const { id, type, head, input, createdAt, state, lease } = operation;
      flat.push(INSERT, id, unless(type, shared.type), unless(head, shared.head), input, createdAt);
      flat.push(unless(state, shared.state), lease);
      shared.type = type;
      shared.head = head;
      shared.state = state;
    } else if (operation.kind === 'finish-job') {
      const { seq, status, attempt, eventSeq, startedAt, endedAt, dropped, droppedBytes } = operation;
      const { runnerId, runnerVersion, executionId, data, error, jobId, capability } = operation;
      flat.push(FINISH, seq, unless(status, shared.status), attempt, eventSeq, startedAt, endedAt);
      flat.push(unless(runnerId, shared.runnerId), unless(runnerVersion, shared.runnerVersion));
      flat.push(executionId, data, error, dropped, droppedBytes);
      flat.push(jobId, unless(capability, shared.capability));
      shared.status = status;
      shared.runnerId = runnerId;
      shared.runnerVersion = runnerVersion;
      shared.capability = capability;
    } else flat.push(OTHER, operation);
  }
  return flat;
}

const sharedAt = <Text>(value: FlatBatch[number], before: Text): Text =>
  value === null ? before : (value as Text);

function insertionAt(flat: FlatBatch, at: number, shared: Shared): InsertJob {
  shared.type = sharedAt(flat[at + 1], shared.type);
  shared.head = sharedAt(flat[at + 2], shared.head);
  shared.state = sharedAt(flat[at + 5], shared.state);
  return {
    kind: 'insert-job',
    id: flat[at] as string,
    type: shared.type as string,
    head: shared.head as string,
    input: flat[at + 3] as string,
    createdAt: flat[at + 4] as number,
    state: shared.state as InsertJob['state'],
    lease: flat[at + 6] as string | undefined,
  };
}

function endAt(flat: FlatBatch, at: number, shared: Shared): FinishJob {
  shared.status = sharedAt(flat[at + 1], shared.status);
  shared.runnerId = sharedAt(flat[at + 6], shared.runnerId);
  shared.runnerVersion = sharedAt(flat[at + 7], shared.runnerVersion);
  shared.capability = sharedAt(flat[at + 14], shared.capability);
  return {
    kind: 'finish-job',
    seq: flat[at] as number,
    status: shared.status as FinishJob['status'],
    attempt: flat[at + 2] as number,
    eventSeq: flat[at + 3] as number,
    startedAt: flat[at + 4] as number | undefined,
    endedAt: flat[at + 5] as number,
    runnerId: shared.runnerId,
    runnerVersion: shared.runnerVersion,
    executionId: flat[at + 8] as string | undefined,
    data: flat[at + 9] as string | undefined,
    error: flat[at + 10] as string | undefined,
    dropped: flat[at + 11] as number,
    droppedBytes: flat[at + 12] as number,
    jobId: flat[at + 13] as string | undefined,
    capability: shared.capability,
  };
}

/** The batch that {@link flattened} took apart. */
export function unflattened(flat: FlatBatch): StoreOperation[] {
  const batch: StoreOperation[] = [];
  const shared = nothingShared();
  for (let at = 0; at < flat.length;) {
    const kind = flat[at];
    at += 1;
    if (kind === INSERT) {
      batch.push(insertionAt(flat, at, shared));
      at += FIELDS_OF_INSERT;
    } else if (kind === FINISH) {
      batch.push(endAt(flat, at, shared));
      at += FIELDS_OF_FINISH;
    } else {
      batch.push(flat[at] as StoreOperation);
      at += 1;
    }
  }
  return batch;
}

/** What became of each operation of a batch: a seq is told as a number. */
export type FlatOutcomes = readonly (number | Exclude<Outcome, object>)[];

export function flatOutcomes(outcomes: readonly Outcome[]): FlatOutcomes {
  return outcomes.map((outcome) => (typeof outcome === 'object' ? outcome.seq : outcome));
}

export function outcomesOf(flat: FlatOutcomes): Outcome[] {
  return flat.map((outcome) => (typeof outcome === 'number' ? { seq: outcome } : outcome));
}
