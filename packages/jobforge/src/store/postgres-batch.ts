import type { AppendLink } from './chain-store.js';
import type {
  AddEvent,
  CancelJob,
  FinishJob,
  InsertJob,
  LeaseJob,
  PutCheckpoint,
  PutRecord,
  PutRunner,
  RemoveCheckpoint,
  RemoveEvent,
  RemoveRecord,
  RemoveRunner,
  ReopenJob,
  RetryJob,
  WrittenOperation,
} from './store.js';

/** What a batch comes to for one job that is there already: of what is said twice, the last. */
export interface JobChange {
  readonly seq: number;
  lease: { readonly text: string | undefined } | undefined;
  retry: RetryJob | undefined;
  cancel: string | undefined;
}

/** A batch by table, each row of a table once: what one statement can carry out. */
export interface GroupedBatch {
  readonly inserts: InsertJob[];
  readonly changes: Map<number, JobChange>;
  readonly attempts: RetryJob[];
  readonly ends: Map<number, FinishJob>;
  readonly events: Map<string, AddEvent | RemoveEvent>;
  readonly checkpoints: Map<number, PutCheckpoint | RemoveCheckpoint>;
  readonly runners: Map<string, PutRunner | RemoveRunner>;
  /** In order, with their places in the batch: what is told of each depends on those before. */
  readonly records: { readonly at: number; readonly operation: PutRecord | RemoveRecord }[];
  readonly links: { readonly at: number; readonly operation: AppendLink }[];
  /** The last of a batch, see {@link untilReopened}. */
  readonly reopened: { readonly at: number; readonly operation: ReopenJob }[];
}

function changeOf({ changes }: GroupedBatch, seq: number): JobChange {
  const known = changes.get(seq);
  if (known !== undefined) return known;
  const change: JobChange = { seq, lease: undefined, retry: undefined, cancel: undefined };
  changes.set(seq, change);
  return change;
}

type Grouping = {
  readonly [K in WrittenOperation['kind']]: (
    grouped: GroupedBatch,
    operation: Extract<WrittenOperation, { kind: K }>,
    at: number,
  ) => void;
};

const putEvent = ({ events }: GroupedBatch, event: AddEvent | RemoveEvent): void =>
  void events.set(`${event.seq} ${event.attempt} ${event.eventSeq}`, event);
const putCheckpoint = ({ checkpoints }: GroupedBatch, operation: PutCheckpoint | RemoveCheckpoint): void =>
  void checkpoints.set(operation.seq, operation);
const putRunner = ({ runners }: GroupedBatch, operation: PutRunner | RemoveRunner): void =>
  void runners.set(operation.id, operation);
const addRecord = ({ records }: GroupedBatch, operation: PutRecord | RemoveRecord, at: number): void =>
  void records.push({ at, operation });

const GROUPING: Grouping = {
  'insert-job': ({ inserts }, job) => void inserts.push(job),
  'lease-job': (grouped, { seq, lease }: LeaseJob) => {
    changeOf(grouped, seq).lease = { text: lease };
  },
  'retry-job': (grouped, retry) => {
    const change = changeOf(grouped, retry.seq);
    change.lease = { text: undefined };
    change.retry = retry;
    grouped.attempts.push(retry);
  },
  'cancel-job': (grouped, { seq, reason }: CancelJob) => {
    changeOf(grouped, seq).cancel = reason;
  },
  'finish-job': ({ ends }, end) => {
    if (!ends.has(end.seq)) ends.set(end.seq, end);
  },
  'reopen-job': ({ reopened }, operation, at) => void reopened.push({ at, operation }),
  'add-event': putEvent,
  'remove-event': putEvent,
  'put-checkpoint': putCheckpoint,
  'remove-checkpoint': putCheckpoint,
  'put-runner': putRunner,
  'remove-runner': putRunner,
  'put-record': addRecord,
  'remove-record': addRecord,
  'append-link': ({ links }, operation, at) => void links.push({ at, operation }),
};

/** Sorts a batch by table. What is written over within it is left out, so that no row is touched twice. */
export function groupBatch(batch: readonly WrittenOperation[]): GroupedBatch {
  const grouped: GroupedBatch = {
    inserts: [],
    changes: new Map(),
    attempts: [],
    ends: new Map(),
    events: new Map(),
    checkpoints: new Map(),
    runners: new Map(),
    records: [],
    links: [],
    reopened: [],
  };
  for (const [at, operation] of batch.entries()) {
    // The table has one function for each kind; the compiler cannot pair the two.
    (GROUPING[operation.kind] as (grouped: GroupedBatch, operation: WrittenOperation, at: number) => void)(
      grouped,
      operation,
      at,
    );
  }
  return grouped;
}

/** Cuts a batch behind each job that is reopened: what came before is its past, what comes after its future. */
export function untilReopened(batch: readonly WrittenOperation[]): WrittenOperation[][] {
  const parts: WrittenOperation[][] = [[]];
  for (const operation of batch) {
    parts.at(-1)?.push(operation);
    if (operation.kind === 'reopen-job') parts.push([]);
  }
  return parts.filter((part) => part.length > 0);
}
