import type {
  Artifact,
  ErrorEnvelope,
  ExecutionEvent,
  JobStatus,
  RetryPolicy,
  RunnerCapability,
  RunnerExecutionRequest,
  RunnerRegistrationRequest,
  ServerFrame,
} from '@controlplane/contracts';
import type { Clock, TimerHandle } from '../../util/clock.js';
import type { KeptBytes } from '../../util/brought-files.js';
import type { Deferred } from '../../util/deferred.js';

/** How a job ended. */
export type JobOutcome = { readonly attempts: number } & (
  | { readonly state: 'completed'; readonly data: unknown; readonly error?: never }
  | { readonly state: 'failed'; readonly error: ErrorEnvelope; readonly data?: never }
  | { readonly state: 'cancelled'; readonly error?: never; readonly data?: never }
);

/** A file that an execution has left at an in-memory host. */
export interface InMemoryArtifact extends Artifact {
  readonly content: Buffer;
}

/** A job as the in-memory control plane keeps it. */
export interface Job {
  readonly id: string;
  readonly capabilityId: string;
  readonly input: RunnerExecutionRequest['payload'];
  readonly metadata: RunnerExecutionRequest['metadata'];
  /** Files that were submitted with it. */
  readonly brought: KeptBytes;
  readonly timeoutMs: number | undefined;
  readonly retryPolicy: RetryPolicy;
  readonly outcome: Deferred<JobOutcome>;
  readonly events: ExecutionEvent[];
  /** By name: of one name the last counts. */
  readonly artifacts: Map<string, InMemoryArtifact>;
  state: JobStatus;
  /** Attempts that count: accepted, and not handed back. */
  attempts: number;
  /** Offers made, accepted or not: each has an execution id of its own. */
  offers: number;
  checkpoint: unknown;
  isCancelled: boolean;
  /** The one that holds the lease. */
  current: Attempt | undefined;
  retryTimer: TimerHandle | undefined;
}

/** One offer of a job to a runner, and what became of it. */
export interface Attempt {
  readonly executionId: string;
  readonly leaseToken: string;
  readonly job: Job;
  readonly runner: KnownRunner;
  readonly capability: RunnerCapability;
  /** `ended` by its own terminal event, which may come again; `superseded` by anything else. */
  phase: 'offered' | 'running' | 'ended' | 'superseded';
  lastSeq: number;
  isWriting: boolean;
  startedMs: number;
  timeoutMs: number;
  leaseUntilMs: number;
  /** Ends the offer, then the lease. */
  timer: TimerHandle | undefined;
  /** Ends an execution whose runner does not end it by itself. */
  deadlineTimer: TimerHandle | undefined;
}

/** A runner that has registered. */
export interface KnownRunner {
  readonly runnerId: string;
  readonly instanceId: string;
  registration: RunnerRegistrationRequest;
  /** Whether its link is up. */
  isConnected: boolean;
  isDraining: boolean;
  lastSeenMs: number;
  /** Nothing is offered before this: it has just refused. */
  quietUntilMs: number;
  readonly attempts: Set<Attempt>;
  send: (frame: ServerFrame) => void;
}

/** Everything that the in-memory control plane knows. */
export interface Plane {
  readonly clock: Clock;
  readonly random: () => number;
  readonly heartbeatIntervalMs: number;
  readonly leaseMs: number;
  readonly jobs: Map<string, Job>;
  readonly attempts: Map<string, Attempt>;
  /** By the id of their process. */
  readonly runners: Map<string, KnownRunner>;
  /** Jobs that wait for a runner, in order. */
  readonly queue: Job[];
  /** Looks for runners for what waits. */
  readonly place: () => void;
}

/** How the in-memory control plane signs its errors. */
export const SERVICE = 'in-memory-host';
