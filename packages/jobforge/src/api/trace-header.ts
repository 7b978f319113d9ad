import { TraceParent } from '@controlplane/contracts';
import type { ServedName } from './served-endpoints.js';

type Members = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function tracedJob(job: unknown, traceparent: string): unknown {
  if (!isObject(job)) return job;
  const { metadata = {} } = job;
  if (!isObject(metadata) || metadata['traceparent'] !== undefined) return job;
  return { ...job, metadata: { ...metadata, traceparent } };
}

/**
 * Puts the `traceparent` header of a submission into its jobs, where they name none themselves. A header that cannot be
 * read is as if it were not there, as W3C Trace Context asks.
 */
export function withTrace(name: ServedName, body: unknown, header: string | string[] | undefined): unknown {
  if (header === undefined || (name !== 'submitJob' && name !== 'submitJobs')) return body;
  const { data: traceparent } = TraceParent.safeParse(header);
  if (traceparent === undefined) return body;
  if (name === 'submitJob') return tracedJob(body, traceparent);
  if (!isObject(body) || !Array.isArray(body['jobs'])) return body;
  return { ...body, jobs: body['jobs'].map((job: unknown) => tracedJob(job, traceparent)) };
}
