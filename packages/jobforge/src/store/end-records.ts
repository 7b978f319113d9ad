import { endingType, parsedError } from '../model/job-event.js';
import { resultFileOf } from '../model/result-text.js';
import { sha256Hex } from './link-hash.js';
import type { FinishJob, StoreOperation, WrittenOperation } from './store.js';

/** One end as it is kept: by place, because every job leaves one. */
export type EndRecord = readonly [
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
function endRecord(jobId: string, end: FinishJob): string {
  const error = parsedError(end.error);
  const { endedAt, capability, attempt, runnerId, executionId, data } = end;
  const resultSha256 = data === undefined ? undefined : (resultFileOf(data)?.sha256 ?? sha256Hex(data));
  // Ids and sums are of a set of characters that needs no escaping; what is asked for and codes may be any text.
  return (
    `["${jobId}",${endedAt},"${endingType(end.status, error)}",${JSON.stringify(capability ?? '')},${attempt},` +
    `${orNull(runnerId)},${orNull(executionId)},${JSON.stringify(error?.code ?? null)},${orNull(resultSha256)}]`
  );
}

/** Whether the record of what ran is to tell of an operation. */
export const isAsserted = (operation: StoreOperation): boolean =>
  operation.kind === 'finish-job' && operation.jobId !== undefined;

function recordOf(batch: readonly StoreOperation[]): string {
  let record = '';
  for (const operation of batch) {
    if (operation.kind !== 'finish-job' || operation.jobId === undefined) continue;
    record += `${record === '' ? '[' : ','}${endRecord(operation.jobId, operation)}`;
  }
  return `${record}]`;
}

/**
 * A batch as a store writes it: an `assert-ends` at its end becomes the link that it asks for. It is the store that
 * makes it, because that may be in a thread of its own, and sums of all results are to be made.
 */
export function withEndRecords(batch: readonly StoreOperation[]): readonly WrittenOperation[] {
  const last = batch.at(-1);
  // There is one at most, and at the end: see AssertEnds.
  if (last?.kind !== 'assert-ends') return batch as readonly WrittenOperation[];
  const { chain, at } = last;
  const others = batch.slice(0, -1) as WrittenOperation[];
  others.push({ kind: 'append-link', chain, at, record: recordOf(others) });
  return others;
}
