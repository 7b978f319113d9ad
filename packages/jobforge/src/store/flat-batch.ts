import type { FinishJob, InsertJob, Outcome, StoreOperation } from './store.js';

/** A batch as one list of plain values: handed to a thread, it costs a third of the objects that it stands for. */
export type FlatBatch = readonly (string | number | undefined | StoreOperation)[];

/** What comes next in a flat batch. Every job comes by the first two; all else goes as it is. */
const [INSERT, FINISH, OTHER] = [0, 1, 2];
const FIELDS_OF_INSERT = 7;
const FIELDS_OF_FINISH = 13;

/** Leaves out what a store that is not shared has no use for, and assertions, which their link carries. */
export function flattened(batch: readonly StoreOperation[]): FlatBatch {
  const flat: (string | number | undefined | StoreOperation)[] = [];
  for (const operation of batch) {
    if (operation.kind === 'insert-job') {
      const { id, type, head, input, createdAt, state, lease } = operation;
      flat.push(INSERT, id, type, head, input, createdAt, state, lease);
    } else if (operation.kind === 'finish-job') {
      const { seq, status, attempt, eventSeq, startedAt, endedAt, dropped, droppedBytes } = operation;
      const { runnerId, runnerVersion, executionId, data, error } = operation;
      flat.push(FINISH, seq, status, attempt, eventSeq, startedAt, endedAt);
      flat.push(runnerId, runnerVersion, executionId, data, error, dropped, droppedBytes);
    } else flat.push(OTHER, operation);
  }
  return flat;
}

function insertionAt(flat: FlatBatch, at: number): InsertJob {
  return {
    kind: 'insert-job',
    id: flat[at] as string,
    type: flat[at + 1] as string,
    head: flat[at + 2] as string,
    input: flat[at + 3] as string,
    createdAt: flat[at + 4] as number,
    state: flat[at + 5] as InsertJob['state'],
    lease: flat[at + 6] as string | undefined,
  };
}

function endAt(flat: FlatBatch, at: number): FinishJob {
  return {
    kind: 'finish-job',
    seq: flat[at] as number,
    status: flat[at + 1] as FinishJob['status'],
    attempt: flat[at + 2] as number,
    eventSeq: flat[at + 3] as number,
    startedAt: flat[at + 4] as number | undefined,
    endedAt: flat[at + 5] as number,
    runnerId: flat[at + 6] as string | undefined,
    runnerVersion: flat[at + 7] as string | undefined,
    executionId: flat[at + 8] as string | undefined,
    data: flat[at + 9] as string | undefined,
    error: flat[at + 10] as string | undefined,
    dropped: flat[at + 11] as number,
    droppedBytes: flat[at + 12] as number,
  };
}

/** The batch that {@link flattened} took apart. */
export function unflattened(flat: FlatBatch): StoreOperation[] {
  const batch: StoreOperation[] = [];
  for (let at = 0; at < flat.length;) {
    const kind = flat[at];
    at += 1;
    if (kind === INSERT) {
      batch.push(insertionAt(flat, at));
      at += FIELDS_OF_INSERT;
    } else if (kind === FINISH) {
      batch.push(endAt(flat, at));
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
