import type { ServerResponse } from 'node:http';
import { envelopeOf, httpStatusOf, type ErrorCode, type ErrorDetail } from '@controlplane/contracts';
import { replyJson } from '../../transport/http-reply.js';

/** What is wrong with a request, beside its code. */
export interface Problem {
  readonly service: string;
  readonly message?: string;
  readonly details?: readonly ErrorDetail[];
}

/** The body of every reply that reports an error outside of an execution. */
export function errorJson(code: ErrorCode, { service, message, details }: Problem): string {
  const error = envelopeOf(code, {
    service,
    ...(message === undefined ? {} : { message }),
    ...(details === undefined ? {} : { details: [...details] }),
  });
  return JSON.stringify({ success: false, error });
}

/** Replies with an error of the catalogue, under its HTTP status. */
export function replyError(response: ServerResponse, code: ErrorCode, problem: Problem): void {
  replyJson(response, httpStatusOf(code), errorJson(code, problem));
}

/** A zod error's issues as details of an envelope. */
export function issueDetails(
  issues: ReadonlyArray<{ readonly path: readonly PropertyKey[]; readonly message: string }>,
): ErrorDetail[] {
  return issues.slice(0, 20).map(({ path, message }) => ({ path: path.map(String), message }));
}

/** Details in one sentence. */
export function sayDetails(details: readonly ErrorDetail[]): string {
  return details
    .map(({ path = [], message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
    .join('; ');
}
