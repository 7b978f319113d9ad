import { z } from 'zod';
import { ErrorEnvelope } from './error-envelope.js';
import { Identifier, Timestamp } from './identifiers.js';

export const PaginatedRequest = z.object({
  limit: z.number().int().min(1).max(1000).default(100),
  offset: z.number().int().nonnegative().default(0),
  cursor: z.string().optional(),
  sortBy: z.string().optional(),
  sortOrder: z.enum(['asc', 'desc']).default('asc'),
});
export type PaginatedRequest = z.infer<typeof PaginatedRequest>;

export const PaginatedResponse = z.object({
  items: z.array(z.unknown()),
  total: z.number().int().nonnegative(),
  limit: z.number().int().positive(),
  offset: z.number().int().nonnegative(),
  hasMore: z.boolean(),
  nextCursor: z.string().optional(),
});
export type PaginatedResponse = z.infer<typeof PaginatedResponse>;

export const ApiRequest = z.object({
  requestId: Identifier,
  timestamp: Timestamp,
  correlationId: Identifier.optional(),
  payload: z.unknown(),
});
export type ApiRequest = z.infer<typeof ApiRequest>;

export const ApiResponse = z.object({
  requestId: Identifier,
  timestamp: Timestamp,
  success: z.boolean(),
  data: z.unknown().optional(),
  error: ErrorEnvelope.optional(),
});
export type ApiResponse = z.infer<typeof ApiResponse>;
