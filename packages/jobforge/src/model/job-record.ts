import { JobRequest, RetryPolicy, type JobSubmission } from '@controlplane/contracts';

/**
 * A job request as the store keeps it: the input apart, because it goes to the runner as it is, and without
 * what the contract's defaults put back.
 */
export interface JobRecord {
  readonly head: string;
  readonly input: string;
}

const DEFAULT_POLICY = RetryPolicy.parse({});

const sameList = (left: readonly string[], right: readonly string[]): boolean =>
  left.length === right.length && left.every((member, index) => member === right[index]);

function isDefaultPolicy(policy: RetryPolicy): boolean {
  return (
    policy.maxRetries === DEFAULT_POLICY.maxRetries &&
    policy.backoffMs === DEFAULT_POLICY.backoffMs &&
    policy.maxBackoffMs === DEFAULT_POLICY.maxBackoffMs &&
    policy.backoffMultiplier === DEFAULT_POLICY.backoffMultiplier &&
    sameList(policy.retryableCategories, DEFAULT_POLICY.retryableCategories) &&
    sameList(policy.nonRetryableCategories, DEFAULT_POLICY.nonRetryableCategories)
  );
}

/**
 * Takes a submission apart for the store.
 * @param input - its input as JSON, where that is at hand
 */
export function toJobRecord(
  submission: JobSubmission,
  input = JSON.stringify(submission.payload.data),
): JobRecord {
  return { head: headOf(submission), input };
}

/** What a head is made of. */
function partsOf(submission: JobSubmission) {
  const { payload } = submission;
  return {
    type: submission.type,
    priority: submission.priority,
    capability: payload.type,
    version: payload.version,
    options: payload.options,
    dataFile: payload.dataFile,
    metadata: submission.metadata,
    retryPolicy: submission.retryPolicy,
    timeoutMs: submission.timeoutMs,
    placement: submission.placement,
    concurrency: submission.concurrency,
    webhook: submission.webhook,
    files: submission.files,
  };
}

type HeadParts = ReturnType<typeof partsOf>;

/** The head that was made last: jobs that are submitted together often differ in nothing but id and input. */
let last: { readonly parts: HeadParts; readonly head: string } | undefined;

const sharesPayload = (
  parts: HeadParts,
  { type, version, options, dataFile }: JobSubmission['payload'],
): boolean =>
  parts.capability === type &&
  parts.version === version &&
  parts.options === options &&
  parts.dataFile === dataFile;

/** Whether a head is that of a submission. Looks at what is held once for many; others may be alike and are not. */
function isHeadOf(parts: HeadParts, submission: JobSubmission): boolean {
  return (
    parts.metadata === submission.metadata &&
    parts.retryPolicy === submission.retryPolicy &&
    sharesPayload(parts, submission.payload) &&
    parts.type === submission.type &&
    parts.priority === submission.priority &&
    parts.timeoutMs === submission.timeoutMs &&
    parts.placement === submission.placement &&
    parts.concurrency === submission.concurrency &&
    parts.webhook === submission.webhook &&
    parts.files === submission.files
  );
}

function headOf(submission: JobSubmission): string {
  if (last !== undefined && isHeadOf(last.parts, submission)) return last.head;
  const parts = partsOf(submission);
  const { capability, version, options, dataFile, retryPolicy, ...rest } = parts;
  const head = JSON.stringify({
    ...rest,
    payload: { type: capability, version, options, dataFile },
    retryPolicy: isDefaultPolicy(retryPolicy) ? undefined : retryPolicy,
  });
  last = { parts, head };
  return head;
}

/** Puts a request together again. */
export function toJobRequest(id: string, record: JobRecord): JobRequest {
  const head = JSON.parse(record.head) as Record<string, unknown> & { payload: object };
  return JobRequest.parse({
    ...head,
    id,
    payload: { ...head.payload, data: JSON.parse(record.input) as unknown },
  });
}

/** A head without the input: all that deciding about a job takes. */
export type JobHead = Omit<JobRequest, 'id'>;

/** Reads a head alone; its `payload.data` is empty. */
export function readHead(head: string): JobHead {
  return toJobRequest('head', { head, input: '{}' });
}

/** The part of the metadata that runners are sent, as JSON. */
export function executionMetadata(metadata: JobRequest['metadata']): string {
  const { correlationId, userId, traceparent } = metadata;
  if (correlationId === undefined && userId === undefined && traceparent === undefined) return '{}';
  return JSON.stringify({ correlationId, userId, traceparent });
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return entries
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, member]) => [key, canonical(member)]);
}

/**
 * Whether two requests ask for the same: type, priority, payload, retry policy, time limit, placement, concurrency,
 * webhook, files and metadata, in any order of members. `createdAt` is left out, because the reader of a request fills
 * it in, and so is `traceparent`: whoever submits once more does so in another span.
 */
export function isSameRequest(left: Omit<JobSubmission, 'id'>, right: Omit<JobSubmission, 'id'>): boolean {
  const comparable = ({
    type,
    priority,
    payload,
    metadata,
    retryPolicy,
    timeoutMs,
    placement,
    concurrency,
    webhook,
    files,
  }: Omit<JobSubmission, 'id'>): string =>
    JSON.stringify(
      canonical({
        type,
        priority,
        payload,
        metadata: { ...metadata, createdAt: '', traceparent: '' },
        retryPolicy,
        timeoutMs,
        placement,
        concurrency,
        webhook,
        files,
      }),
    );
  return comparable(left) === comparable(right);
}
