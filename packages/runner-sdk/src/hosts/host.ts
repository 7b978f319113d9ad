/**
 * @module
 * What the author of a host needs: the side of the runner that a host is given, and the side that it gives back.
 * Everything else in this room speaks one protocol each and imports this file, transport, util, errors and the
 * contract; the work only by type, and no other host.
 */
import type {
  CancelReason,
  HealthCheck,
  RunnerHeartbeat,
  RunnerHeartbeatResponse,
  RunnerManifest,
  RunnerRegistrationRequest,
} from '@controlplane/contracts';
import type { RunnerRefusal } from '../errors/runner-error.js';
import type { EventSink, Execute, ExecutionRequest, RunOptions, Subscription } from '../execution/execute.js';
import type { Clock } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import type { CredentialSource } from './credential-source.js';
import type { StateFiles } from './state-files.js';

/** Runs an execution with callbacks: the core of {@link Execute}, without the cost of an async iterator. */
export type Run = (request: ExecutionRequest, sink: EventSink, options?: RunOptions) => Subscription;

/** What came of telling an execution to stop; `superseded`: the lease token is not its own. */
export type CancelAnswer = 'cancelling' | 'ended' | 'unknown' | 'superseded';

/** What a runner says of itself: the fields of a registration that do not depend on how work arrives. */
export type RunnerDescription = Omit<RunnerRegistrationRequest, 'delivery' | 'healthCheckEndpoint' | 'held'>;

/** How a stand-in beats while the main thread is blocked. */
export interface StandInBeat {
  readonly runnerId: string;
  /** Where `POST /runners/heartbeat` is served, whole. */
  readonly url: string;
  /** The `authorization` header; undefined where there is no credential. */
  readonly authorization: string | undefined;
  readonly intervalMs: number;
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  readonly draining: boolean;
}

/** Sends heartbeats in the stead of a session whose thread is blocked. */
export interface StandIn {
  /** Says what to beat with, whenever it has changed. */
  update(beat: StandInBeat): void;
  /** The session has beaten by itself, and was answered. */
  beaten(): void;
}

/** The side of the runner that a host is given. */
export interface HostedRunner {
  readonly manifest: RunnerManifest;
  /** This process. */
  readonly instanceId: string;
  /** What a registration says of the runner. */
  readonly describe: () => RunnerDescription;
  readonly execute: Execute;
  readonly run: Run;
  readonly cancel: (executionId: string, reason: CancelReason, leaseToken?: string) => CancelAnswer;
  /** The ids of all executions that run now, of every host. */
  readonly running: () => string[];
  /** The slots of the runner, which its hosts share; fewer in total where it is to run no more than so many jobs. */
  readonly slots: () => { readonly used: number; readonly total: number };
  /** Calls back whenever a slot is free again, whichever host had it; returns what ends that. */
  readonly onSlotFreed: (listener: () => void) => () => void;
  readonly health: {
    readonly check: () => Promise<HealthCheck>;
    /** What the last look found. */
    readonly last: 'healthy' | 'degraded' | 'unhealthy';
  };
  /** How the process is doing since the last call: `metrics` of a heartbeat. Called once a beat. */
  readonly vitals: () => RunnerHeartbeat['metrics'];
  /** The URL of the runner's own endpoints; undefined while it serves none. */
  readonly url: () => string | undefined;
  /** Bytes of one request or frame that the runner reads. */
  readonly maxBodyBytes: number;
  /** Whether the runner finishes what it has and takes nothing new. */
  readonly isDraining: () => boolean;
  /** The host's status has changed. */
  readonly changed: () => void;
  /** Makes the runner drain and stop, as the control plane asked for. */
  readonly drain: (reason: string) => void;
  /** Milliseconds that a drain lets running executions finish in. */
  readonly drainMs: number;
  /** What beats in the session's stead; its answers come to `onReply`. Undefined where nothing does. */
  readonly standIn: ((onReply: (reply: RunnerHeartbeatResponse) => void) => StandIn) | undefined;
  /** Files that outlive the process; undefined without a state directory. */
  readonly state: StateFiles | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Default: the global one. */
  readonly fetch: typeof globalThis.fetch | undefined;
  /** For a host of this project's own control plane that is not told these itself. */
  readonly defaults: {
    readonly controlPlaneUrl: string;
    readonly credential: CredentialSource | undefined;
  };
}

/**
 * Where a session is.
 *
 * - `connecting` not known to the other side (yet, or any more); it keeps trying
 * - `connected` known to it
 * - `refused` refused for good; it tries no more
 */
export type HostState = 'connecting' | 'connected' | 'refused';

/** What a session tells of itself. */
export interface HostStatus {
  readonly state: HostState;
  /** The id that the other side gave the runner. */
  readonly runnerId: string | undefined;
  /** How work arrives now, such as `push` or `websocket`. */
  readonly delivery: string;
  /** Results that the other side has not acknowledged. */
  readonly unacknowledged: number;
  /** Heartbeats in a row that were not answered. A host calls `changed` for each. Default: 0. */
  readonly missed?: number | undefined;
  /** Set once refused for good. */
  readonly refusal?: RunnerRefusal | undefined;
}

/** One runner at one host. */
export interface HostSession {
  readonly status: HostStatus;
  /** Begins to make the runner known. Called once, when the runner can be reached. */
  start(): void;
  /** Resolves once connected for the first time; rejects with a RunnerError when refused for good or left before. */
  readonly ready: Promise<void>;
  /** Why work may not arrive, in words; empty when it does. */
  reasons(): string[];
  /** Says that nothing new is taken. Resolves when that was said, or could not be. Must not reject. */
  announceDrain(): Promise<void>;
  /**
   * Hands over the results that are left, says goodbye and ends all loops. Called when nothing runs any more.
   * Bounded in time; must not reject.
   */
  leave(reason: string): Promise<void>;
  /** Takes part in `POST /execute`, for a host that work is pushed by. */
  readonly push?: PushSide | undefined;
}

/** What a host that work is pushed by adds to the runner's endpoints. */
export interface PushSide {
  /** The runner's `run`, or what stands around it. */
  readonly run: Run;
  /**
   * Looks whether a request is from whom it should be.
   * @returns undefined when it is; else what is wrong, in words
   */
  readonly verify?: ((headers: RequestHeaders, body: string) => string | undefined) | undefined;
}

/** Headers of a request, by lower-case name. */
export type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Whoever sends work. A value that may be given to several runners: what belongs to one is in its session. */
export interface Host {
  /** For the log and the readiness reasons where a runner has several, such as `controlplane`. */
  readonly name: string;
  /** Whether work is pushed to the runner's own endpoints, so that it must listen. */
  readonly listens: boolean;
  /** Port of this machine that the host listens at by itself: the runner's own endpoints leave it that one. */
  readonly port?: number | undefined;
  /** The runner's clock where it is not told another: for a host that makes its own time. */
  readonly clock?: Clock | undefined;
  /** Makes the session of one runner; nothing is sent before it is started. */
  attach(runner: HostedRunner): HostSession;
}
