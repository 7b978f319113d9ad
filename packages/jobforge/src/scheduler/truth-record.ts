import type { TruthAssertion } from '@controlplane/contracts';
import { endingType } from '../model/job-event.js';
import { resultFileOf } from '../model/result-text.js';
import type { StoredLink } from '../store/chain-store.js';
import { sha256Hex } from '../store/link-hash.js';
import { iso, parsedError, type JobEnd } from './job-views.js';
import type { LiveJob } from './live-job.js';

/** The append-only record of how jobs ended. */
export const TRUTH_CHAIN = 'truth';

/** One end as it is kept: by place, because every job leaves one. */
type EndRecord = readonly [
  jobId: string,
  endedAt: number,
  predicate: string,
  capability: string,
  attempt: number,
  runnerId: string | null,
  executionId: string | null,
  errorCode: string | null,
  /** SHA-256 of the JSON of the result's data. */
  resultSha256: string | null,
];

const orNull = (id: string | undefined): string => (id === undefined ? 'null' : `"${id}"`);

/** What the record of what ran says of a job's end: an {@link EndRecord} as JSON. */
export function endRecord({ id, capability }: LiveJob, end: JobEnd): string {
  const error = parsedError(end.error);
  const { endedAt, attempt, runnerId, executionId, data } = end;
  const resultSha256 = data === undefined ? undefined : (resultFileOf(data)?.sha256 ?? sha256Hex(data));
  // Ids and sums are of a set of characters that needs no escaping; what is asked for and codes may be any text.
  return (
    `["${id}",${endedAt},"${endingType(end.status, error)}",${JSON.stringify(capability)},${attempt},` +
    `${orNull(runnerId)},${orNull(executionId)},${JSON.stringify(error?.code ?? null)},${orNull(resultSha256)}]`
  );
}

function toAssertion(record: EndRecord, { seq, hash }: StoredLink, index: number): TruthAssertion {
  const [jobId, endedAt, predicate, capability, attempt, runnerId, executionId, errorCode, resultSha256] =
    record;
  const object = { capability, attempt, runnerId, executionId, errorCode, resultSha256 };
  return {
    id: `${seq}.${index}`,
    subject: `job:${jobId}`,
    predicate,
    object: Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null)),
    confidence: 1,
    timestamp: iso(endedAt),
    source: runnerId === null ? 'jobforge' : `runner:${runnerId}`,
    metadata: { link: seq, linkHash: hash },
  };
}

/** What a link of the record says, one assertion a job. */
export function toAssertions(link: StoredLink): TruthAssertion[] {
  const records = JSON.parse(link.record ?? '[]') as EndRecord[];
  return records.map((record, index) => toAssertion(record, link, index));
}
