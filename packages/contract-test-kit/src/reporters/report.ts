/**
 * @module
 * The outcome of a run as data, and the texts made from it. Reporters are pure: report in, text out.
 */
import { z } from 'zod';
import { Level, Profile } from '../requirements/requirement.js';
import { DeliveryKind } from '../target/delivery.js';

/** Version of the report's own shape; another major is another shape. */
export const REPORT_SCHEMA_VERSION = '1.0';

/**
 * How one requirement came out. `failed` and `warned` are the same finding about a MUST and a SHOULD;
 * `not-applicable` does not concern the runner; `not-evaluable` could not be judged, which is not a pass;
 * `error` is the kit's own fault.
 */
export const ResultStatus = z.enum([
  'passed',
  'failed',
  'warned',
  'not-applicable',
  'not-evaluable',
  'error',
]);
export type ResultStatus = z.infer<typeof ResultStatus>;

/** Something that happened in an exchange. */
export const TimelineEntry = z.object({
  /** Milliseconds after the request was sent. */
  afterMs: z.number().nonnegative(),
  text: z.string(),
});
export type TimelineEntry = z.infer<typeof TimelineEntry>;

export const FindingReport = z.object({
  sent: z.string(),
  expected: z.string(),
  actual: z.string(),
  /** What arrived when, where the reply is a stream: its first lines and its last ones. */
  timeline: z.array(TimelineEntry).optional(),
  /** Command that judges this requirement again. */
  again: z.string(),
  /** Command that sends the same request, where one request shows the finding. */
  curl: z.string().optional(),
});
export type FindingReport = z.infer<typeof FindingReport>;

/**
 * Where a known failure stands. `accepted` does not fail the run; `expired` (past its day) and `stale` (its
 * requirement is kept now) do; `unused` could not be compared: its requirement was not judged in this run.
 */
export const KnownFailureState = z.enum(['accepted', 'expired', 'stale', 'unused']);
export type KnownFailureState = z.infer<typeof KnownFailureState>;

export const KnownFailureNote = z.object({
  state: KnownFailureState,
  reason: z.string(),
  /** Last day, in UTC, on which the failure is accepted. */
  expires: z.iso.date(),
  /** Where it is followed. */
  issue: z.string().optional(),
});
export type KnownFailureNote = z.infer<typeof KnownFailureNote>;

export const RequirementResult = z.object({
  id: z.string(),
  level: Level,
  profile: Profile,
  section: z.string(),
  statement: z.string(),
  status: ResultStatus,
  /** False for a requirement that came after its contract version: it is judged, and does not count. */
  scored: z.literal(false).optional(),
  durationMs: z.number().nonnegative(),
  /** Whether this result alone makes the profile not conformant. */
  breaksConformance: z.boolean(),
  /** Why it was not judged, or what went wrong in the kit. */
  reason: z.string().optional(),
  finding: FindingReport.optional(),
  /** How it came out over each delivery that it concerns, where the runner was judged over several. */
  deliveries: z.array(z.object({ delivery: DeliveryKind, status: ResultStatus })).optional(),
  /** The entry of the known-failures file, where there is one. */
  known: KnownFailureNote.optional(),
});
export type RequirementResult = z.infer<typeof RequirementResult>;

export const ProfileResult = z.object({
  profile: Profile,
  /** Whether any requirement of the profile concerns the runner and counts. */
  claimed: z.boolean(),
  conformant: z.boolean(),
});
export type ProfileResult = z.infer<typeof ProfileResult>;

/** A delivery that was asked for and not judged. */
export const SkippedDelivery = z.object({
  delivery: DeliveryKind,
  /** What came instead of a runner that is reached by it. */
  reason: z.string(),
});
export type SkippedDelivery = z.infer<typeof SkippedDelivery>;

const Counts = z.object({
  passed: z.number().int(),
  failed: z.number().int(),
  warned: z.number().int(),
  notApplicable: z.number().int(),
  notEvaluable: z.number().int(),
  error: z.number().int(),
});

/** A whole run: what `--json` prints. */
export const ContractReport = z.object({
  schemaVersion: z.literal(REPORT_SCHEMA_VERSION),
  contract: z.string(),
  target: z.string(),
  seed: z.number().int(),
  strict: z.boolean(),
  startedAt: z.iso.datetime(),
  durationMs: z.number().nonnegative(),
  runner: z.object({
    name: z.string().optional(),
    version: z.string().optional(),
    capabilities: z.array(z.string()),
    features: z.array(z.string()),
    /** How it was reached. */
    deliveries: z.array(DeliveryKind).optional(),
    /** Where it was to be judged over all of them: those that it could not be reached by, and why. */
    skippedDeliveries: z.array(SkippedDelivery).optional(),
    /** Where capabilities and features were read. */
    source: z.enum(['manifest', 'registration', 'nowhere']),
  }),
  /** Whether the runner keeps what it claims. A known failure is still a failure here. */
  conformant: z.boolean(),
  /** Whether the run passes: conformant, or nothing fails but accepted known failures. */
  ok: z.boolean(),
  profiles: z.array(ProfileResult),
  summary: Counts,
  /** Secrets that were taken out of this report. */
  redactions: z.number().int().nonnegative(),
  results: z.array(RequirementResult),
});
export type ContractReport = z.infer<typeof ContractReport>;
