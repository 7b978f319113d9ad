/**
 * @module
 * store/ keeps what must survive: jobs, their ends, attempts, events and runners. `Store` is the interface, each
 * implementation passes store.suite.ts. It imports contracts and model/, never links, scheduler or api.
 */
import type { JobStatus } from '@controlplane/contracts';
import type { AppendLink, ChainStore } from './chain-store.js';
import type { JobPlace, SharedStore } from './replica-store.js';
import type { FinalState, FinishJob, StoredJob } from './stored-job.js';

export type { FinalState, FinishJob, StoredEnd, StoredJob, StoredState } from './stored-job.js';

export interface InsertJob {
  readonly kind: 'insert-job';
  readonly id: string;
  readonly type: string;
  readonly head: string;
  readonly input: string;
  readonly createdAt: number;
  readonly state: 'pending' | 'queued';
  /** Set where a runner was free at once. */
  readonly lease: string | undefined;
  /** Only where several JobForges share the store. */
  readonly place?: JobPlace | undefined;
}

export interface LeaseJob {
  readonly kind: 'lease-job';
  readonly seq: number;
  /** Undefined where an offer was handed back. */
  readonly lease: string | undefined;
}

/** An attempt that ended without ending the job. */
export interface RetryJob {
  readonly kind: 'retry-job';
  readonly seq: number;
  readonly attempt: number;
  readonly retries: number;
  /** Highest event seq of the attempt: that of `job.retrying`. */
  readonly eventSeq: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly nextAt: number;
  readonly runnerId: string;
  readonly executionId: string;
  /** JSON of the envelope. */
  readonly error: string;
}

export interface CancelJob {
  readonly kind: 'cancel-job';
  readonly seq: number;
  readonly reason: string;
}

/**
 * Takes back the end of a job that did not complete: it is queued again, its end kept as that of an attempt.
 * `superseded` where there is no such end.
 */
export interface ReopenJob {
  readonly kind: 'reopen-job';
  readonly seq: number;
  readonly at: number;
}

/** A log line, a step of progress or a notification. Takes the place of one that is there. */
export interface AddEvent {
  readonly kind: 'add-event';
  readonly seq: number;
  readonly attempt: number;
  readonly eventSeq: number;
  readonly at: number;
  readonly type: 'log' | 'progress' | 'notification';
  /** JSON of the event's data. */
  readonly data: string;
}

/** Takes back what {@link AddEvent} added; what is not there is no error. */
export interface RemoveEvent {
  readonly kind: 'remove-event';
  readonly seq: number;
  readonly attempt: number;
  readonly eventSeq: number;
}

/** Where the work of a job stands: takes the place of the one before. */
export interface PutCheckpoint {
  readonly kind: 'put-checkpoint';
  readonly seq: number;
  /** JSON. */
  readonly data: string;
}

export interface RemoveCheckpoint {
  readonly kind: 'remove-checkpoint';
  readonly seq: number;
}

export interface PutRunner {
  readonly kind: 'put-runner';
  readonly id: string;
  /** JSON of what the registry wants back. */
  readonly record: string;
}

export interface RemoveRunner {
  readonly kind: 'remove-runner';
  readonly id: string;
}

/** Writes a document of a collection: what is small, changes seldom and is read whole, such as tokens and secrets. */
export interface PutRecord {
  readonly kind: 'put-record';
  readonly collection: string;
  readonly id: string;
  /** JSON. */
  readonly record: string;
  /**
   * Writes only over this text, `null` only where nothing is: so that of two who change a record at once one is told
   * `superseded`. Default: whatever is there.
   */
  readonly replaces?: string | null;
}

/** What is not there is no error. */
export interface RemoveRecord {
  readonly kind: 'remove-record';
  readonly collection: string;
  readonly id: string;
  /** Removes only this text; else `superseded`. Default: whatever is there. */
  readonly replaces?: string;
}

/** The last of its batch: appends a link with what the record of what ran says of the batch's ends. */
export interface AssertEnds {
  readonly kind: 'assert-ends';
  readonly chain: string;
  readonly at: number;
}

export type StoreOperation =
  | InsertJob
  | LeaseJob
  | RetryJob
  | CancelJob
  | FinishJob
  | ReopenJob
  | AddEvent
  | RemoveEvent
  | PutCheckpoint
  | RemoveCheckpoint
  | PutRunner
  | RemoveRunner
  | PutRecord
  | RemoveRecord
  | AppendLink
  | AssertEnds;

/** What a store comes to write, once it has made the links that it was asked for. */
export type WrittenOperation = Exclude<StoreOperation, AssertEnds>;

/**
 * What became of an operation: for `insert-job` the job's seq, or `exists` where the id was taken; for `append-link`
 * and `assert-ends` the link's; `superseded` for a record that was not what it was to replace; else `done`.
 */
export type Outcome = { readonly seq: number } | 'exists' | 'superseded' | 'done';

export type StoredAttempt = Omit<RetryJob, 'kind' | 'seq' | 'retries'>;
export type StoredEvent = Omit<AddEvent, 'kind' | 'seq'>;

/** What happened to a job beside its beginning and its end. */
export interface JobHistory {
  readonly attempts: readonly StoredAttempt[];
  readonly events: readonly StoredEvent[];
}

export interface StoredRecord {
  readonly id: string;
  /** JSON. */
  readonly record: string;
}

export interface JobQuery {
  /** Only jobs with a smaller seq. */
  readonly before: number | undefined;
  readonly limit: number;
  readonly type: string | undefined;
  /** Ended jobs of this status. */
  readonly ended: FinalState | undefined;
}

/** Which ended jobs may go: those that ended before a time, and the oldest beyond a number. */
export interface PruneQuery {
  readonly endedBefore: number;
  readonly keepJobs: number;
  /** At most this many at once. */
  readonly limit: number;
}

export interface JobPage {
  readonly jobs: readonly StoredJob[];
  /** Where the next page begins; undefined at the end. A page may be shorter than its limit and not be the last. */
  readonly next: number | undefined;
}

/**
 * What JobForge remembers. All methods reject with the engine's own error when the store cannot do it; the caller
 * turns that into STORE_UNAVAILABLE. Nothing is called after `close`.
 */
export interface Store extends ChainStore {
  /**
   * Writes all of a batch or nothing: on disk when resolved. One outcome an operation, in order. Rejects with
   * `StoreFailing` where it could write nothing else either, and with `CommitInDoubt` where that is not known.
   */
  commit(batch: readonly StoreOperation[]): Promise<readonly Outcome[]>;
  loadJob(id: string): Promise<StoredJob | undefined>;
  loadJobs(seqs: readonly number[]): Promise<readonly StoredJob[]>;
  loadHistory(seq: number): Promise<JobHistory>;
  /** What a job's executions had to say to people, in order: its events of that type alone. */
  loadNotifications(seq: number): Promise<readonly StoredEvent[]>;
  /** JSON of a job's last checkpoint. */
  loadCheckpoint(seq: number): Promise<string | undefined>;
  /** Newest first. */
  listJobs(query: JobQuery): Promise<JobPage>;
  /** Jobs that have not ended, in the order of their seq. */
  unfinishedJobs(page: { readonly after: number; readonly limit: number }): Promise<readonly StoredJob[]>;
  /**
   * Forgets ended jobs with all that was kept of them, oldest submissions first. Resolves to how many went: fewer than
   * the limit when there is no more to do for now.
   */
  prune(query: PruneQuery): Promise<number>;
  loadRunners(): Promise<readonly StoredRecord[]>;
  /** Every record of a collection, by id. */
  loadRecords(collection: string): Promise<readonly StoredRecord[]>;
  /** Only of a store that several JobForges may open. */
  readonly shared?: SharedStore;
  close(): Promise<void>;
}

/** The status of a stored job as far as the store can tell: executions that run now are known to the scheduler. */
export function storedStatus(job: StoredJob): JobStatus {
  return job.end?.status ?? job.state;
}
