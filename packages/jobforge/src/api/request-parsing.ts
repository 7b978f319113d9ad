import {
  ENDPOINTS,
  Identifier,
  SecretName,
  type Endpoint,
  type ErrorDetail,
  type EndpointName,
} from '@controlplane/contracts';
import type { z } from 'zod';
import { JobForgeError } from '../model/job-forge-error.js';
import { HTTP_LIMITS } from './http-limits.js';

/** Reads a value by an endpoint's schema; the refusal names the endpoint and each wrong place. */
export function parseAs<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  source: { readonly name: EndpointName; readonly part: 'body' | 'query' },
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { method, path }: Endpoint = ENDPOINTS[source.name];
  const details = parsed.error.issues.slice(0, HTTP_LIMITS.maxDetails).map(toDetail);
  const [first] = details;
  const place = first?.path?.length ? `${first.path.join('.')}: ` : '';
  const more = parsed.error.issues.length > 1 ? ` (and ${parsed.error.issues.length - 1} more)` : '';
  throw new JobForgeError('VALIDATION_ERROR', {
    message: `The ${source.part} of ${method} ${path} does not match its schema: ${place}${first?.message ?? ''}${more}`,
    details,
    operation: source.name,
  });
}

function toDetail(issue: z.core.$ZodIssue): ErrorDetail {
  return { path: issue.path.map(String), message: issue.message, code: issue.code };
}

/**
 * Reads the JSON body of an endpoint. No body at all counts as `{}` where the schema accepts that, so that
 * a request which has nothing to say need not say it.
 */
export function parseBody<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  name: EndpointName,
): z.output<Schema> {
  if (value !== undefined) return parseAs(schema, value, { name, part: 'body' });
  const empty = schema.safeParse({});
  if (empty.success) return empty.data;
  throw new JobForgeError('INVALID_JSON', {
    message: 'The body is empty: expected a JSON object.',
    operation: name,
  });
}

/** The query string of a request target, as an object; of a name given twice the last counts. */
export function queryOf(url: string | undefined): Record<string, string> {
  const start = url?.indexOf('?') ?? -1;
  return start < 0 ? {} : Object.fromEntries(new URLSearchParams(url?.slice(start + 1)));
}

/** A secret's name, where it can be one. */
export function secretNameOf(id: string): string {
  const parsed = SecretName.safeParse(id);
  if (parsed.success) return parsed.data;
  throw new JobForgeError('VALIDATION_ERROR', {
    message: `${JSON.stringify(id)} cannot be the name of a secret: ${parsed.error.issues[0]?.message ?? ''}.`,
    details: [{ path: ['name'], message: parsed.error.issues[0]?.message ?? '' }],
  });
}

/** The `:id` of a path. What cannot be an id is not found, without asking. */
export function idOf(
  params: Readonly<Record<string, string>>,
  code:
    | 'SECRET_NOT_FOUND'
    | 'TOKEN_NOT_FOUND'
    | 'JOB_NOT_FOUND'
    | 'RUNNER_NOT_FOUND'
    | 'EXECUTION_NOT_FOUND'
    | 'WEBHOOK_NOT_FOUND',
): string {
  const parsed = Identifier.safeParse(params['id']);
  if (parsed.success) return parsed.data;
  throw new JobForgeError(code, {
    message: `${JSON.stringify((params['id'] ?? '').slice(0, 128))} cannot be an id here: ids are 1–128 characters of A-Z a-z 0-9 . _ : -`,
  });
}
