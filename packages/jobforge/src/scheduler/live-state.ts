import type { Audit } from '../access/audit.js';
import type { SecretBook } from '../access/secret-book.js';
import type { FileRooms } from '../files/file-rooms.js';
import type { Clock } from '../model/clock.js';
import type { JobForgeLimits } from '../model/limits.js';
import type { Log } from '../model/log.js';
import type { Store } from '../store/store.js';
import type { AffinityPins } from './affinity-pins.js';
import type { WebhookDesk } from '../webhooks/webhook-desk.js';
import type { Agenda } from './agenda.js';
import type { ConcurrencyKeys } from './concurrency-keys.js';
import type { EngineMeters } from './engine-meters.js';
import type { EventHub } from './event-hub.js';
import type { GroupCommit } from './group-commit.js';
import type { Execution, LiveJob, RunnerEntry } from './live-job.js';
import type { Probe } from './probe.js';
import type { PastExecutions } from './past-executions.js';
import type { RateLimits } from './rate-limits.js';
import type { ReadyQueue } from './ready-queue.js';
import type { Sharing } from './sharing.js';

/** What the parts of the scheduler share: the jobs that have not ended, and the ways to time, disk and listeners. */
export interface LiveState {
  /** Jobs on disk that have not ended, in the order of their seq. */
  readonly jobs: Map<string, LiveJob>;
  readonly ready: ReadyQueue;
  readonly affinity: AffinityPins;
  readonly concurrency: ConcurrencyKeys;
  readonly rates: RateLimits;
  /** Executions that have not ended, by id. */
  readonly executions: Map<string, Execution>;
  /** Executions that stand for no job, by id: see verification. */
  readonly probes: Map<string, Probe>;
  readonly past: PastExecutions;
  readonly store: Store;
  readonly files: FileRooms;
  readonly commit: GroupCommit;
  readonly audit: Audit;
  readonly secrets: SecretBook;
  readonly webhooks: WebhookDesk;
  readonly hub: EventHub;
  readonly agenda: Agenda;
  readonly clock: Clock;
  readonly limits: JobForgeLimits;
  readonly log: Log;
  readonly meters: EngineMeters;
  /** In [0, 1). */
  readonly random: () => number;
  /**
   * Has the scheduler look for work to place: for all that waits, or, where only one runner has changed, for what waits
   * for that. Looks once for many calls.
   */
  wake(runner?: RunnerEntry): void;
  /** Has the scheduler look at what was put into the queue, and at nothing that it has looked at before. */
  look(): void;
  /** Bytes of inputs in memory. */
  inputBytes: number;
  /** JobForge takes and places nothing new. */
  stopping: boolean;
  /** Runners that dial in have been told to come again later. */
  dismissed: boolean;
  /** JobForge has let go of its runners. */
  closed: boolean;
  /** Only where other JobForges work over the same store. */
  sharing: Sharing | undefined;
  /** Seq of the job that was submitted last. */
  lastInserted: number;
}

/** Keeps a job's input in memory while there is room for it. */
export function holdInput(state: LiveState, job: LiveJob, input: string): void {
  if (state.inputBytes + input.length > state.limits.maxInputBytesInMemory) return;
  state.inputBytes += input.length;
  job.input = input;
}

export function releaseInput(state: LiveState, job: LiveJob): void {
  state.inputBytes -= job.input?.length ?? 0;
  job.input = undefined;
}
