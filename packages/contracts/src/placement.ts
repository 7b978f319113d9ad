import { z } from 'zod';
import { DurationMs } from './identifiers.js';
import { VersionRange } from './version-range.js';

const Word = z.string().min(1).max(128);
const LabelValue = z.string().max(256);
const MAX_LABELS = 32;

/** Labels that a runner must have: each with this value, or with one of these values. */
export const LabelSelector = z
  .record(Word, z.union([LabelValue, z.array(LabelValue).min(1).max(32)]))
  .refine((labels) => Object.keys(labels).length <= MAX_LABELS, { message: `at most ${MAX_LABELS} labels` });
export type LabelSelector = z.infer<typeof LabelSelector>;

/** What a runner must run on, as it says of itself. `macos` and `windows`, `amd64` and `aarch64` are understood too. */
export const PlatformSelector = z.object({ os: Word.optional(), arch: Word.optional() });
export type PlatformSelector = z.infer<typeof PlatformSelector>;

/** Which runners may take a job, beyond offering what it asks for. All that is said must hold. */
export const Placement = z.object({
  /** A runner's id, its name, or a pattern of names in which `*` stands for any text and `?` for one character. */
  runner: Word.optional(),
  labels: LabelSelector.optional(),
  platform: PlatformSelector.optional(),
  /** Versions of the capability. `payload.version` is that of the payload and places nothing. */
  version: VersionRange.optional(),
  /**
   * How a capability is found: `id-or-type` takes one whose id is `payload.type` and, on runners that offer none, one
   * whose `supportedJobTypes` hold `type`; `id` takes the first alone. With a token that has a scope of capabilities it
   * is always `id`. Default: `id-or-type`.
   */
  servedBy: z.enum(['id', 'id-or-type']).optional(),
  /** Jobs of one key run on one runner, as long as that is there and can do them; else a new one is chosen for all. */
  affinity: Word.optional(),
  /**
   * While no runner matches: `wait`, or `fail` with NO_MATCHING_RUNNER, at submit or when its `scheduledAt` has come.
   * Default: `wait`.
   */
  noMatch: z.enum(['wait', 'fail']).optional(),
});
export type Placement = z.infer<typeof Placement>;

/** Holds back jobs that share a key. */
export const Concurrency = z.object({
  key: Word,
  /** Jobs of the key that may run at once. Default: 1. */
  limit: z.number().int().min(1).max(100_000).default(1),
  /**
   * When as many jobs of the key have not ended: `queue` waits its turn, `cancel-newest` cancels this job,
   * `cancel-oldest` those that came first. Default: `queue`.
   */
  onConflict: z.enum(['queue', 'cancel-newest', 'cancel-oldest']).default('queue'),
});
export type Concurrency = z.infer<typeof Concurrency>;

/** At most so many executions begin in a time; what was not used is saved up to `limit`. */
export const RateLimit = z.object({ limit: z.number().int().min(1).max(1_000_000), intervalMs: DurationMs });
export type RateLimit = z.infer<typeof RateLimit>;

/** What a runner is asked before it gets a job, in this order. */
export const PlacementPredicate = z.enum([
  'capability',
  'version',
  'runner',
  'labels',
  'platform',
  'features',
  'availability',
  'affinity',
  'slots',
  'rate-limit',
]);
export type PlacementPredicate = z.infer<typeof PlacementPredicate>;
