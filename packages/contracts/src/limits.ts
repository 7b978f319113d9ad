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
  executionTimeoutMs: 30_000,
  maxBodyBytes: 4 * 1024 * 1024,
  maxLogBytes: 50 * 1024,
  runnerSlots: 10,
  reconnectMinMs: 250,
  reconnectMaxMs: 30_000,
  jobForgePort: 3002,
  runnerPort: 3000,
} as const;
