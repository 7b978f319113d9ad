import type { TruthAssertion } from '@controlplane/contracts';
import type { StoredLink } from '../store/chain-store.js';
import type { EndRecord } from '../store/end-records.js';
import { iso } from './job-views.js';

/** The append-only record of how jobs ended. */
export const TRUTH_CHAIN = 'truth';

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
