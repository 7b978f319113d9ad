import { z } from 'zod';
import { RunnerCapability } from './capability.js';
import { CancelReason } from './execution-event.js';
import { DurationMs, Identifier, Timestamp } from './identifiers.js';
import { Delivery, Platform, SessionCredential } from './registration.js';
import { RunnerMark } from './runner-control.js';
import { WireContractVersion } from './version.js';

/** A sign of life, with what the runner is doing. */
export const RunnerHeartbeat = z.object({
  runnerId: Identifier,
  timestamp: Timestamp,
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  activeJobs: z.number().int().nonnegative().default(0),
  queuedJobs: z.number().int().nonnegative().default(0),
  metrics: z
    .object({
      /** Percent of one core. */
      cpuUsage: z.number().min(0).max(100).optional(),
      /** Percent of the machine's memory. */
      memoryUsage: z.number().min(0).max(100).optional(),
      /** Jobs per second. */
      jobThroughput: z.number().nonnegative().optional(),
      eventLoopLagMs: z.number().nonnegative().optional(),
      /** Bytes of memory that the process holds (resident set). */
      memoryBytes: z.number().nonnegative().optional(),
    })
    .default({}),
  instanceId: Identifier.optional(),
  /** Executions that run here now: their leases are renewed. */
  executions: z.array(Identifier).max(100_000).optional(),
  /** The runner finishes what it has and takes nothing new. */
  draining: z.boolean().optional(),
  /** Milliseconds since the runner's main thread last answered: set by a watchdog that beats in its stead. */
  stalledMs: z.number().nonnegative().optional(),
});
export type RunnerHeartbeat = z.infer<typeof RunnerHeartbeat>;

/** An instruction in a heartbeat's reply. Kinds that a runner does not know are ignored. */
export const Directive = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('register') }),
  z.object({ kind: z.literal('cancel'), executionId: Identifier, reason: CancelReason }),
  /** The control plane is going away: connect again after a while. */
  z.object({ kind: z.literal('reconnect'), afterMs: z.number().int().nonnegative().default(0) }),
  /** Finish what runs, take nothing new and leave. */
  z.object({ kind: z.literal('drain') }),
]);
export type Directive = z.infer<typeof Directive>;

export const RunnerHeartbeatResponse = z.object({
  /** False: this runner is not registered (any more) and must register again. */
  known: z.boolean().default(true),
  /** Whether work is being sent to the runner. */
  receiving: z.boolean().default(true),
  directives: z.array(z.union([Directive, z.looseObject({ kind: z.string() })])).default([]),
  heartbeatIntervalMs: DurationMs.optional(),
  /** Replaces the one before. */
  sessionCredential: SessionCredential.optional(),
});
export type RunnerHeartbeatResponse = z.infer<typeof RunnerHeartbeatResponse>;

export const RunnerStatus = z.enum(['healthy', 'degraded', 'unhealthy', 'offline']);
export type RunnerStatus = z.infer<typeof RunnerStatus>;

/** A runner as the control plane knows it. */
export const RunnerMetadata = z.object({
  id: Identifier,
  name: z.string(),
  version: z.string(),
  contractVersion: WireContractVersion,
  capabilities: z.array(RunnerCapability),
  supportedContracts: z.array(z.string()),
  healthCheckEndpoint: z.url().optional(),
  registeredAt: Timestamp,
  lastHeartbeatAt: Timestamp,
  status: RunnerStatus.default('healthy'),
  tags: z.array(z.string()).default([]),
  instanceId: Identifier.optional(),
  machineId: Identifier.optional(),
  delivery: Delivery.optional(),
  labels: z.record(z.string(), z.string()).optional(),
  platform: Platform.optional(),
  buildId: z.string().optional(),
  features: z.array(z.string()).optional(),
  maxConcurrency: z.number().int().positive().optional(),
  /** Executions that the control plane has placed on the runner and that have not ended. */
  activeExecutions: z.number().int().nonnegative().optional(),
  draining: z.boolean().optional(),
  /**
   * While it drains: when, as things stand, nothing that was placed on it runs there any more, at the latest; a time
   * that has passed where nothing does. Absent while an offer to it is open.
   */
  safeToTerminateAt: Timestamp.optional(),
  /** Nothing is placed on it until it is enabled, whichever process answers for it. */
  disabled: RunnerMark.optional(),
  /** Milliseconds for which its main thread had not answered at the last beat; nothing new is placed on it. */
  stalledMs: z.number().nonnegative().optional(),
});
export type RunnerMetadata = z.infer<typeof RunnerMetadata>;
