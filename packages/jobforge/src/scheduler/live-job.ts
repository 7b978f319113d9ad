import type {
  CancelReason,
  JobNotification,
  JobWebhook,
  RunnerRegistrationRequest,
} from '@controlplane/contracts';
import type { DispatchSigner } from '../links/dispatch-signature.js';
import type { RunnerLink } from '../links/runner-link.js';
import type { ValueHider } from '../model/hide-values.js';
import { QUEUED } from '../model/job-event.js';
import type { Terms } from '../model/demand.js';
import type { JobPhase } from '../model/job-state.js';
import type { Lease } from '../model/lease.js';
import type { PlaceableRunner } from '../model/placement.js';
import type { RunnerStanding } from '../model/runner-standing.js';
import type { RunnerMarks, RunnerVitals } from '../model/runner-status.js';
import type { WaitingEvent } from './event-order.js';
import type { CapabilityChecks } from './input-check.js';
import type { LogRecord } from './log-record.js';

/** A runner as the scheduler holds it. */
export interface RunnerEntry extends PlaceableRunner {
  readonly id: string;
  registration: RunnerRegistrationRequest;
  registeredAt: number;
  lastSeenAt: number;
  readonly vitals: { -readonly [K in keyof RunnerVitals]: RunnerVitals[K] };
  /** What operators have said about it. */
  marks: RunnerMarks;
  link: RunnerLink;
  /** Signs what is pushed to it; undefined where it did not ask for that. */
  signer: DispatchSigner | undefined;
  /** It refused a signature: it is told to register, which gives it the key that is used. */
  distrusted: boolean;
  /** Of what its capabilities are given. */
  checks: CapabilityChecks;
  /** Of what they give back. */
  outputs: CapabilityChecks;
  readonly executions: Map<string, Execution>;
  readonly activeByCapability: Map<string, number>;
  /** Offers in a row that failed: spaces out the next ones. */
  failures: number;
  probing: boolean;
  nextProbeAt: number;
  /** It has deregistered: forgotten as soon as nothing runs on it. */
  leaving: boolean;
  /** Whether it may stay; undefined where nobody is asked for a credential. */
  standing: RunnerStanding | undefined;
  /** What it proved itself with is over: nothing goes there until it has registered anew. */
  barred: boolean;
  /** Since when it has been asked to register anew; 0 where it has not. */
  askedToRenewAt: number;
}

/** One attempt of a job on one runner, from the offer to its end. */
export interface Execution {
  readonly job: LiveJob;
  readonly runner: RunnerEntry;
  /** Replaced when another process of its runner takes it over. */
  lease: Lease;
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
  /** Streams in a row that broke without news: spaces out the next ones. */
  breaks: number;
  /** When the runner was told to stop it; 0 before. */
  cancelledAt: number;
  /** It has announced that it writes: from here on it must not be repeated. */
  writing: boolean;
  /** It says when it begins to write: until then it may be repeated. */
  readonly announces: boolean;
  /** Hides the values of its secrets in what it tells; undefined where it was given none. */
  hides: ValueHider | undefined;
  /** Seq of the event with which its runner ended it. */
  endSeq: number | undefined;
}

/** A job that has not ended, as the scheduler holds it. */
export interface LiveJob {
  readonly id: string;
  readonly type: string;
  readonly capability: string;
  /** Where and when it may run. */
  readonly terms: Terms;
  /** Its turn among those that wait; see `rankOf`. */
  readonly rank: number;
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  readonly timeoutMs: number | undefined;
  /** Whom its end is told, beside those who hear of all. */
  readonly webhook: JobWebhook | undefined;
  /** JSON that goes to the runner as `metadata`. */
  readonly executionMetadata: string;
  /** Members of the execution request that name the files of the job; empty where it has none. */
  readonly carried: string;
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
  /** The last one that began: what it came to may still be on its way to the disk. */
  begun: Execution | undefined;
  cancel: CancelReason | undefined;
  /** It was cancelled because a later one of its concurrency key came. */
  superseded: boolean;
  /** What it has logged; undefined before the first line. */
  log: LogRecord | undefined;
  /** A time is set at which what the store lacks of the log is written. */
  flushing: boolean;
  /** Events that are told once those before them are on disk. */
  readonly untold: WaitingEvent[];
  /** Bytes of steps of progress so far. */
  progressBytes: number;
  /** What its executions had to say to people; undefined before the first of it. */
  notifications: JobNotification[] | undefined;
  /** Events that its record leaves out, beside those of the log. */
  dropped: number;
  /** Bytes of log text that runners left out by themselves. */
  droppedBytes: number;
  /** The store has a checkpoint for its next attempt, or is about to. */
  checkpointed: boolean;
  progress: { fraction: number; message?: string } | undefined;
  /** JSON of the last failed attempt's envelope. */
  error: string | undefined;
}

/** What a job is known by from its submission on. */
export type JobIdentity = Pick<
  LiveJob,
  | 'id'
  | 'type'
  | 'capability'
  | 'terms'
  | 'rank'
  | 'createdAt'
  | 'expiresAt'
  | 'timeoutMs'
  | 'webhook'
  | 'executionMetadata'
  | 'carried'
  | 'nextAt'
>;

/** A job as it is before its row is on disk. Written out, because every job is made here and all are of one shape. */
export function newLiveJob(identity: JobIdentity): LiveJob {
  return {
    id: identity.id,
    type: identity.type,
    capability: identity.capability,
    terms: identity.terms,
    rank: identity.rank,
    createdAt: identity.createdAt,
    expiresAt: identity.expiresAt,
    timeoutMs: identity.timeoutMs,
    webhook: identity.webhook,
    executionMetadata: identity.executionMetadata,
    carried: identity.carried,
    nextAt: identity.nextAt,
    seq: 0,
    phase: 'submitting',
    input: undefined,
    attempt: 0,
    retries: 0,
    lastEventSeq: QUEUED.seq,
    execution: undefined,
    begun: undefined,
    cancel: undefined,
    superseded: false,
    log: undefined,
    flushing: false,
    untold: [],
    progressBytes: 0,
    notifications: undefined,
    dropped: 0,
    droppedBytes: 0,
    checkpointed: false,
    progress: undefined,
    error: undefined,
  };
}
