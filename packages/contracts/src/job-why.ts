import { z } from 'zod';
import { Identifier } from './identifiers.js';
import { JobId, JobStatus } from './job.js';
import { PlacementPredicate } from './placement.js';

/** A runner beside what a job asks for. */
export const RunnerFit = z.object({
  id: Identifier,
  name: z.string(),
  /** The first predicate that it fails; absent where it could take the job now. */
  fails: PlacementPredicate.optional(),
  /** Why, in words that follow its name. */
  reason: z.string().optional(),
  slots: z.number().int().nonnegative(),
  freeSlots: z.number().int().nonnegative(),
});
export type RunnerFit = z.infer<typeof RunnerFit>;

/** Why a job is not running yet, and what would have to change. */
export const JobWhy = z.object({
  id: JobId,
  status: JobStatus,
  /** Why, in one sentence. */
  reason: z.string(),
  /** Since it could have run, while it waits. */
  waitingMs: z.number().int().nonnegative().optional(),
  /** What it asks of a runner beyond the capability, such as `labels region=eu`. */
  needs: z.array(z.string()),
  /** Waiting jobs that go before it to the same runners. */
  ahead: z.number().int().nonnegative().optional(),
  /** The nearest first. */
  runners: z.array(RunnerFit),
  /** Runners beyond those listed. */
  moreRunners: z.number().int().positive().optional(),
  /** Each would let it run, in words that follow "would run if". */
  wouldRunIf: z.array(z.string()),
});
export type JobWhy = z.infer<typeof JobWhy>;
