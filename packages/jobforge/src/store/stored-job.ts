/** How a job that has not ended was last written. Offers in flight are told by `lease` beside `queued`. */
export type StoredState = 'pending' | 'queued' | 'retrying';

export type FinalState = 'completed' | 'failed' | 'cancelled';

/** Written once; a second end of the same job changes nothing. */
export interface FinishJob {
  readonly kind: 'finish-job';
  readonly seq: number;
  readonly status: FinalState;
  readonly attempt: number;
  readonly eventSeq: number;
  /** Attempts that a runner accepted. */
  readonly startedAt: number | undefined;
  readonly endedAt: number;
  readonly runnerId: string | undefined;
  readonly runnerVersion: string | undefined;
  readonly executionId: string | undefined;
  /** JSON of the result's data. */
  readonly data: string | undefined;
  /** JSON of the envelope. */
  readonly error: string | undefined;
  /** Log lines and steps of progress that were left out. */
  readonly dropped: number;
  /** Bytes of log text that were left out. */
  readonly droppedBytes: number;
  /** Set, with what it asked for, where the record of what ran tells of it. Nothing else keeps the two. */
  readonly jobId?: string | undefined;
  readonly capability?: string | undefined;
}

/** How a job ended, as it is kept. */
export type StoredEnd = Omit<FinishJob, 'kind' | 'seq' | 'jobId' | 'capability'>;

export interface StoredJob {
  /** Rises with each submission. */
  readonly seq: number;
  readonly id: string;
  readonly type: string;
  readonly head: string;
  readonly input: string;
  readonly createdAt: number;
  readonly state: StoredState;
  readonly lease: string | undefined;
  readonly attempt: number;
  readonly retries: number;
  readonly nextAt: number | undefined;
  /** JSON of the last failed attempt's envelope. */
  readonly error: string | undefined;
  readonly cancel: string | undefined;
  readonly end: StoredEnd | undefined;
}
