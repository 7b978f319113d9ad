import { JobSubmission, type JobBatchSubmission } from '@controlplane/contracts';
import type { ServedName } from './served-endpoints.js';

type Members = Readonly<Record<string, unknown>>;
/** What the schema fills in where a submission says nothing: the same for all, and held once. */
type Filled = Pick<JobSubmission, 'metadata' | 'retryPolicy'> & {
  readonly options: JobSubmission['payload']['options'];
};

const ID = /^(?!\.{1,2}$)[A-Za-z0-9._:-]{1,128}$/;
const MAX_JOBS = 1_000;
const {
  priority: PRIORITY,
  payload,
  metadata,
  retryPolicy,
} = JobSubmission.parse({
  type: 'a',
  payload: { type: 'a', data: {} },
});

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= 128;

/** What is filled in now: when a job came is told, the rest is the same for all. */
const filled = (): Filled => ({
  metadata: { ...metadata, createdAt: new Date().toISOString() },
  retryPolicy,
  options: payload.options,
});

/** A payload of nothing but a type and an input. */
function plainPayload(sent: unknown, options: Filled['options']): JobSubmission['payload'] | undefined {
  if (!isObject(sent) || Object.keys(sent).length !== 2) return undefined;
  const { type, data } = sent;
  if (!isName(type) || !isObject(data) || Object.hasOwn(data, '__proto__')) return undefined;
  return { type, version: payload.version, data, options };
}

/** A submission of nothing but an id, a type and an input; undefined for all else, right or wrong. */
function plainJob(job: unknown, from: Filled): JobSubmission | undefined {
  if (!isObject(job)) return undefined;
  const { id, type } = job;
  if (!isName(type) || Object.keys(job).length !== (id === undefined ? 2 : 3)) return undefined;
  const sent = plainPayload(job['payload'], from.options);
  if (sent === undefined) return undefined;
  if (id === undefined)
    return { type, priority: PRIORITY, payload: sent, metadata: from.metadata, retryPolicy };
  if (typeof id !== 'string' || !ID.test(id)) return undefined;
  return { id, type, priority: PRIORITY, payload: sent, metadata: from.metadata, retryPolicy };
}

function plainJobs(body: unknown, from: Filled): JobBatchSubmission | undefined {
  if (!isObject(body) || !Array.isArray(body['jobs']) || Object.keys(body).length !== 1) return undefined;
  const sent: readonly unknown[] = body['jobs'];
  if (sent.length === 0 || sent.length > MAX_JOBS) return undefined;
  const jobs: JobSubmission[] = [];
  for (const job of sent) {
    const plain = plainJob(job, from);
    if (plain === undefined) return undefined;
    jobs.push(plain);
  }
  return { jobs };
}

/**
 * What is submitted most, as the schema would give it back: known without asking it, which costs eight times as much.
 * Undefined for all else, right or wrong: the schema decides.
 */
export function plainSubmission(
  name: ServedName,
  body: unknown,
): JobSubmission | JobBatchSubmission | undefined {
  if (name === 'submitJob') return plainJob(body, filled());
  return name === 'submitJobs' ? plainJobs(body, filled()) : undefined;
}
