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
