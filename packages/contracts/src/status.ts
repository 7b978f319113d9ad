import { z } from 'zod';
import { Identifier, Timestamp } from './identifiers.js';

/** One execution that runs now. */
export const RunningExecutionStatus = z.object({
  executionId: Identifier,
  jobId: Identifier,
  capabilityId: Identifier,
  attempt: z.number().int().positive(),
  startedAt: Timestamp,
  progress: z.object({ fraction: z.number().min(0).max(1), message: z.string().optional() }).optional(),
});
export type RunningExecutionStatus = z.infer<typeof RunningExecutionStatus>;

/** What a runner does right now: the reply of its `GET /status`. */
export const RunnerStatusReport = z.object({
  name: z.string(),
  version: z.string(),
  /** Where it is in its life, such as `registered` or `draining`. */
  state: z.string(),
  runnerId: Identifier.optional(),
  instanceId: Identifier.optional(),
  /** Seconds since the process started. */
  uptime: z.number().nonnegative(),
  /** Why work may not arrive; empty when it does. */
  reasons: z.array(z.string()).default([]),
  /** How work arrives, such as `push`. */
  delivery: z.string().optional(),
  slots: z.object({ used: z.number().int().nonnegative(), total: z.number().int().positive() }),
  executions: z.array(RunningExecutionStatus).default([]),
  /** Executions that ended since the process started, by outcome. */
  ended: z
    .object({
      succeeded: z.number().int().nonnegative(),
      failed: z.number().int().nonnegative(),
      cancelled: z.number().int().nonnegative(),
    })
    .optional(),
  /** While it drains: when everything has ended or was handed back, at the latest; now where nothing runs any more. */
  safeToTerminateAt: Timestamp.optional(),
  /** Results that the control plane has not acknowledged. */
  unacknowledged: z.number().int().nonnegative().default(0),
});
export type RunnerStatusReport = z.infer<typeof RunnerStatusReport>;
