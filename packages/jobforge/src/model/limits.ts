import { DEFAULTS } from '@controlplane/contracts';

/** Sizes and times that JobForge keeps to. All can be set through the options of the same name. */
export interface JobForgeLimits {
  /** Cadence that runners are told. */
  readonly heartbeatIntervalMs: number;
  /** A runner is silent after this many beats did not arrive. */
  readonly missedHeartbeats: number;
  /** How long an execution is kept without a sign of life; also how long a broken stream is re-attached. */
  readonly leaseMs: number;
  /** A runner that has not accepted by then loses the offer. */
  readonly offerMs: number;
  /** How long an execution that was told to stop may take before JobForge ends it by itself. */
  readonly cancelGraceMs: number;
  /** Beyond an execution's own time limit, before JobForge ends it by itself. */
  readonly overdueMs: number;
  /** How long a poll is held while there is nothing to say. */
  readonly pollHoldMs: number;
  /** A connection that has not registered by then is closed. */
  readonly handshakeMs: number;
  /** How long runners that dial in may take to come back after JobForge was restarted, beyond `leaseMs`. */
  readonly reconnectMs: number;
  /**
   * How often every runner is verified, as by `POST /runners/:id/verify`; one that is connected and does not answer an
   * execution connects anew. 0: never.
   */
  readonly verifyIntervalMs: number;
  /** How long `stop` waits for running executions. */
  readonly drainMs: number;
  /** Bytes of a request or of one line of a runner's reply. */
  readonly maxBodyBytes: number;
  /** Bytes of log text kept for a job: the first half of them and the last. */
  readonly maxLogBytes: number;
  /**
   * Bytes of an input that travel to a runner inside a message; a larger one travels as a file, to runners with the
   * feature `files`.
   */
  readonly maxInlineBytes: number;
  /** Bytes of an input or a result that travels as a file, as JSON. It is read whole where it is checked. */
  readonly maxPayloadBytes: number;
  /** Bytes of one file that a client uploads for jobs. Its upload may take a minute. */
  readonly maxFileBytes: number;
  /** Uploads of one caller that are kept at once. */
  readonly maxWaitingUploads: number;
  /** How long an upload is kept after it came, or a job named it last. What jobs name is kept with them. */
  readonly keepUploadsMs: number;
  /** Bytes of a checkpoint; a larger one is not kept, and the one before stays. */
  readonly maxCheckpointBytes: number;
  /** Bytes of one file that an execution leaves. Its upload may take a minute. */
  readonly maxArtifactBytes: number;
  /** Files of one job, over all attempts. */
  readonly maxArtifactsPerJob: number;
  /** The most by which an execution may extend its own time limit. */
  readonly maxExtensionMs: number;
  /** Operations in one transaction. */
  readonly maxCommitOperations: number;
  /** Events that wait for one slow subscriber before it is ended. */
  readonly maxSubscriberEvents: number;
  /** Bytes of events, as JSON, that wait for one slow subscriber before it is ended. */
  readonly maxSubscriberBytes: number;
  /** Bytes of waiting jobs' inputs kept in memory; the rest is read from the store when its turn comes. */
  readonly maxInputBytesInMemory: number;
  /** Replies that one runner streams at once; executions share them where the runner takes batches. */
  readonly maxStreamsPerRunner: number;
  /** Waiting this long counts as much as one point of priority. */
  readonly priorityAgingMs: number;
  /** How long an affinity key stays with its runner after its last job has ended. */
  readonly affinityIdleMs: number;
  /** How long one attempt to tell a webhook may take. */
  readonly webhookTimeoutMs: number;
  /** How often an end is told to a webhook that does not take it: 9 times take about 14 hours. */
  readonly webhookAttempts: number;
  /** How long a runner that is offline stays listed. */
  readonly forgetOfflineMs: number;
  /** Where several JobForges share a store: how often each says that it is there, and looks for work by itself. */
  readonly replicaBeatMs: number;
  /** How long one of them may say nothing before the others take over what it had; a third where it hung up too. */
  readonly replicaLostMs: number;
}

export const DEFAULT_LIMITS: JobForgeLimits = {
  heartbeatIntervalMs: DEFAULTS.heartbeatIntervalMs,
  missedHeartbeats: DEFAULTS.missedHeartbeats,
  leaseMs: DEFAULTS.leaseMs,
  offerMs: DEFAULTS.offerMs,
  cancelGraceMs: DEFAULTS.cancelGraceMs,
  overdueMs: 10_000,
  pollHoldMs: DEFAULTS.pollHoldMs,
  handshakeMs: DEFAULTS.handshakeMs,
  reconnectMs: DEFAULTS.reconnectMaxMs,
  verifyIntervalMs: 0,
  drainMs: DEFAULTS.drainMs,
  maxBodyBytes: DEFAULTS.maxBodyBytes,
  maxLogBytes: DEFAULTS.maxLogBytes,
  maxInlineBytes: DEFAULTS.maxInlineBytes,
  maxPayloadBytes: 32 * 1024 * 1024,
  maxFileBytes: 100 * 1024 * 1024,
  maxWaitingUploads: 1_000,
  keepUploadsMs: 24 * 60 * 60 * 1000,
  maxCheckpointBytes: 256 * 1024,
  maxArtifactBytes: 100 * 1024 * 1024,
  maxArtifactsPerJob: 100,
  maxExtensionMs: DEFAULTS.maxExtensionMs,
  maxCommitOperations: 400,
  maxSubscriberEvents: 1_000,
  maxSubscriberBytes: 8 * 1024 * 1024,
  maxInputBytesInMemory: 64 * 1024 * 1024,
  maxStreamsPerRunner: 1_024,
  priorityAgingMs: 10_000,
  affinityIdleMs: 10 * 60 * 1000,
  webhookTimeoutMs: 15_000,
  webhookAttempts: 9,
  forgetOfflineMs: 24 * 60 * 60 * 1000,
  replicaBeatMs: 1_000,
  replicaLostMs: 10_000,
};
