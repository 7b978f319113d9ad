/** Limits and defaults of the contract, in bytes and milliseconds: the one table that code and documents quote. */
export const DEFAULTS = {
  heartbeatIntervalMs: 10_000,
  /** Share by which each beat is moved at random, so that runners do not beat in step. */
  heartbeatJitter: 0.1,
  /** A runner is lost after this many beats did not arrive. */
  missedHeartbeats: 3,
  leaseMs: 20_000,
  offerMs: 5_000,
  handshakeMs: 10_000,
  drainMs: 25_000,
  cancelGraceMs: 10_000,
  /** How long a poll is held open while there is nothing to say. */
  pollHoldMs: 25_000,
  /** A connection that was up this long counts as stable: the next one is tried without delay. */
  stableMs: 30_000,
  /** The most by which an execution may extend its own limit, unless its capability says otherwise. */
  maxExtensionMs: 3_600_000,
  executionTimeoutMs: 30_000,
  maxBodyBytes: 4 * 1024 * 1024,
  /** Bytes of JSON of an input or a result that travel inside a message; what is larger travels as a file. */
  maxInlineBytes: 256 * 1024,
  maxLogBytes: 50 * 1024,
  /** Bytes of child output that are gathered into one log event, and the milliseconds after which it is sent. */
  logChunkBytes: 64 * 1024,
  logChunkMs: 250,
  /** How long a session credential lasts; a newer one comes with the heartbeats. */
  sessionMs: 900_000,
  runnerSlots: 10,
  reconnectMinMs: 250,
  reconnectMaxMs: 30_000,
  jobForgePort: 3002,
  runnerPort: 3000,
} as const;
