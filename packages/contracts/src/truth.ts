import { z } from 'zod';
import { ErrorEnvelope } from './error-envelope.js';
import { Identifier, JsonObject, Timestamp } from './identifiers.js';

/** One statement of the append-only record of what ran. */
export const TruthAssertion = z.object({
  id: Identifier,
  subject: z.string(),
  predicate: z.string(),
  object: z.unknown(),
  confidence: z.number().min(0).max(1).default(1),
  timestamp: Timestamp,
  source: z.string(),
  expiresAt: Timestamp.optional(),
  metadata: JsonObject.default({}),
});
export type TruthAssertion = z.infer<typeof TruthAssertion>;

/** Which assertions are wanted; what is left out matches all. */
export const TruthQuery = z.object({
  subject: z.string().optional(),
  predicate: z.string().optional(),
  source: z.string().optional(),
  minConfidence: z.number().min(0).max(1).optional(),
  since: Timestamp.optional(),
  until: Timestamp.optional(),
  limit: z.number().int().min(1).max(1000).default(100),
  cursor: z.string().optional(),
});
export type TruthQuery = z.infer<typeof TruthQuery>;

/** A {@link TruthQuery} as it is written in a query string. */
export const TruthParameters = TruthQuery.extend({
  minConfidence: z.coerce.number().min(0).max(1).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
export type TruthParameters = z.infer<typeof TruthParameters>;

export const TruthQueryResult = z.object({
  assertions: z.array(TruthAssertion),
  nextCursor: z.string().optional(),
});
export type TruthQueryResult = z.infer<typeof TruthQueryResult>;

export const TruthSubscription = z.object({
  id: Identifier,
  query: TruthQuery.prefault({}),
  webhookUrl: z.url().optional(),
});
export type TruthSubscription = z.infer<typeof TruthSubscription>;

export const TruthCoreRequest = z.object({
  id: Identifier,
  type: z.enum(['assert', 'query', 'subscribe', 'unsubscribe']),
  payload: JsonObject,
  metadata: z.object({ correlationId: Identifier.optional(), source: z.string(), timestamp: Timestamp }),
});
export type TruthCoreRequest = z.infer<typeof TruthCoreRequest>;

export const TruthCoreResponse = z.object({
  requestId: Identifier,
  success: z.boolean(),
  data: z.unknown().optional(),
  error: ErrorEnvelope.optional(),
  timestamp: Timestamp,
});
export type TruthCoreResponse = z.infer<typeof TruthCoreResponse>;

export const ConsistencyLevel = z.enum(['strict', 'eventual', 'best_effort']);
export type ConsistencyLevel = z.infer<typeof ConsistencyLevel>;
