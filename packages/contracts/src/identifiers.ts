/**
 * @module
 * The words of the contract: zod schemas of everything that crosses a wire, each with its type of the
 * same name and tiny pure predicates. Imports zod alone. Files import leftwards only:
 * identifiers, version → error-codes, version-range → error-envelope, retry-policy, placement → capability,
 * execution-event, health → registration, heartbeat, execution, job, status → job-why, frame → endpoint →
 * *-endpoints → endpoints → index.
 */
import { z } from 'zod';

/**
 * Any id on the wire: 1–128 characters of `[A-Za-z0-9._:-]`. UUIDs and ULIDs are such ids. `.` and `..` are
 * none: ids are segments of paths, and clients drop these two from a path before they send it.
 */
export const Identifier = z
  .string()
  .regex(
    /^(?!\.{1,2}$)[A-Za-z0-9._:-]{1,128}$/,
    'expected 1–128 characters of A-Z a-z 0-9 . _ : -, and not . or ..',
  );
export type Identifier = z.infer<typeof Identifier>;

/** A point in time on the wire: ISO 8601 with a zone (`2026-01-31T12:00:00.000Z`). */
export const Timestamp = z.iso.datetime({ offset: true });
export type Timestamp = z.infer<typeof Timestamp>;

/** Whole milliseconds, greater than 0 and at most what a timer can hold (2^31 − 1, 24.8 days). */
export const DurationMs = z.number().int().positive().max(2_147_483_647);
export type DurationMs = z.infer<typeof DurationMs>;

/** A JSON object whose members are not interpreted here. */
export const JsonObject = z.record(z.string(), z.unknown());
export type JsonObject = z.infer<typeof JsonObject>;

/** `traceparent` of W3C Trace Context. */
export const TraceParent = z.string().regex(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
export type TraceParent = z.infer<typeof TraceParent>;
