import { z } from 'zod';
import { Identifier, Timestamp } from './identifiers.js';

/** Why an operator does something to a runner. Body of `POST /runners/:id/drain` and `disable`. */
export const RunnerControlRequest = z.object({ reason: z.string().min(1).max(256).optional() });
export type RunnerControlRequest = z.infer<typeof RunnerControlRequest>;

/** Since when an operator's word about a runner holds, and why it was given. */
export const RunnerMark = z.object({ since: Timestamp, reason: z.string().max(256).optional() });
export type RunnerMark = z.infer<typeof RunnerMark>;

export const RunnerDeletionQuery = z.object({
  /** `true` deletes a runner that is connected or running too: what it runs counts as lost. */
  force: z.enum(['true', 'false']).default('false'),
});
export type RunnerDeletionQuery = z.infer<typeof RunnerDeletionQuery>;

export const RunnerDeletionResponse = z.object({ runnerId: Identifier, deleted: z.literal(true) });
export type RunnerDeletionResponse = z.infer<typeof RunnerDeletionResponse>;

/** One thing that was tried. */
export const RunnerVerificationStep = z.object({
  /**
   * `connection`: it can be told something now. `health`: it answers whether it is there. `execution`: it was handed
   * an execution of a capability that no runner has, by the way of all executions, and refused it as it should.
   */
  name: z.enum(['connection', 'health', 'execution']),
  ok: z.boolean(),
  durationMs: z.number().nonnegative(),
  message: z.string(),
});
export type RunnerVerificationStep = z.infer<typeof RunnerVerificationStep>;

/** What a probe of a runner through the whole path came to. It ends with the first step that fails. */
export const RunnerVerification = z.object({
  runnerId: Identifier,
  ok: z.boolean(),
  steps: z.array(RunnerVerificationStep),
});
export type RunnerVerification = z.infer<typeof RunnerVerification>;
