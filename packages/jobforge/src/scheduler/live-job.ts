import type { CancelReason } from '@controlplane/contracts';
import type { JobPhase } from '../model/job-state.js';
import type { Lease } from '../model/lease.js';
import type { RunnerEntry } from './runner-entry.js';

/** One attempt of a job on one runner, from the offer to its end. */
export interface Execution {
  readonly job: LiveJob;
  readonly runner: RunnerEntry;
  readonly lease: Lease;
  /** The number that its events carry. */
  readonly attempt: number;
  readonly timeoutMs: number;
  /** `open` may still be refused; `accepted` runs; `closed` is over: whatever arrives is ignored. */
  phase: 'open' | 'accepted' | 'closed';
  /** When it was sent to the runner last; 0 before. */
  offeredAt: number;
  startedAt: number;
  leaseUntil: number;
  /** When JobForge ends it by itself. */
  deadlineAt: number;
  /** Highest seq seen; -1 before `accepted`. */
  seenSeq: number;
  /** It was offered before JobForge was started. */
  readonly recovered: boolean;
  /** The job's last event before this attempt. */
  priorEventSeq: number;
  /** Since when its stream is broken; 0 while it stands. */
  brokenSince: number;
  /** When the runner was told to stop it; 0 before. */
  cancelledAt: number;
}

/** A job that has not ended, as the scheduler holds it. */
export interface LiveJob {
  readonly id: string;
  readonly type: string;
  readonly capability: string;
  readonly priority: number;
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  readonly timeoutMs: number | undefined;
  /** JSON that goes to the runner as `metadata`. */
  readonly executionMetadata: string;
  /** 0 until its row is on disk. */
  seq: number;
  phase: JobPhase;
  /** Undefined where it is read from the store when its turn comes. */
  input: string | undefined;
  /** Attempts that a runner has accepted. */
  attempt: number;
  /** Attempts that counted against the retry policy. */
  retries: number;
  /** When it may start, while pending or retrying. */
  nextAt: number;
  /** Highest seq of an event of the current attempt. */
  lastEventSeq: number;
  execution: Execution | undefined;
  cancel: CancelReason | undefined;
  /** Bytes of events kept for it. */
  keptBytes: number;
  dropped: number;
  progress: { fraction: number; message?: string } | undefined;
  /** JSON of the last failed attempt's envelope. */
  error: string | undefined;
}

/** What a live job starts with beside its identity. */
export const NEW_JOB = {
  seq: 0,
  phase: 'submitting',
  attempt: 0,
  retries: 0,
  nextAt: 0,
  lastEventSeq: 1,
  execution: undefined,
  cancel: undefined,
  keptBytes: 0,
  dropped: 0,
  progress: undefined,
  error: undefined,
} as const satisfies Partial<LiveJob>;
