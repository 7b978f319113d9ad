import { z } from 'zod';
import { JsonObject, Timestamp } from './identifiers.js';

/** One entry of the audit trail: who did what to whom. Nothing secret is in it. */
export const AuditEntry = z.object({
  /** Rises by one with each entry. */
  seq: z.number().int().positive(),
  at: Timestamp,
  /** Who asked for it, such as `token:ci` or `jobforge`. */
  actor: z.string(),
  /** What was done, such as `secret.set`. */
  action: z.string(),
  /** What it was done to, such as `secret:API_KEY`. */
  subject: z.string(),
  detail: JsonObject.optional(),
  /** Hex of the SHA-256 that seals this entry and all before it. */
  hash: z.string(),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

/** Which entries are wanted; what is left out matches all. */
export const AuditQuery = z.object({
  actor: z.string().optional(),
  action: z.string().optional(),
  subject: z.string().optional(),
  since: Timestamp.optional(),
  until: Timestamp.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  /** `nextCursor` of the page before. */
  cursor: z.string().optional(),
});
export type AuditQuery = z.infer<typeof AuditQuery>;

/** Newest first. A page may be shorter than its limit and not be the last. */
export const AuditList = z.object({ entries: z.array(AuditEntry), nextCursor: z.string().optional() });
export type AuditList = z.infer<typeof AuditList>;

/** What checking an append-only record came to. */
export const ChainReport = z.object({
  chain: z.string(),
  /** Nothing was changed, taken out or put in since it was written. */
  ok: z.boolean(),
  /** Links that were checked. */
  links: z.number().int().nonnegative(),
  /** Older links were forgotten by age or number. */
  firstSeq: z.number().int().positive().optional(),
  lastSeq: z.number().int().positive().optional(),
  /** Hash of the last link: kept elsewhere, it proves later that nothing before it was written anew. */
  lastHash: z.string().optional(),
  /** The first link that does not hold, and why. */
  brokenAt: z.number().int().positive().optional(),
  reason: z.string().optional(),
});
export type ChainReport = z.infer<typeof ChainReport>;
