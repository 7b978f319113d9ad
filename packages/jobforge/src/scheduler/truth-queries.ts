import type { TruthAssertion, TruthParameters, TruthQueryResult } from '@controlplane/contracts';
import { readChain, type ChainPage } from '../store/chain-pages.js';
import type { Store } from '../store/store.js';
import { reading } from './store-reads.js';
import { toAssertions, TRUTH_CHAIN } from './truth-record.js';

/** By how much an end may be younger than the link that tells of it, and older: clocks are set, commits wait. */
const SLACK_MS = 60_000;
const JOB = 'job:';

type Range = Pick<TruthParameters, 'cursor'> & {
  readonly since: number | undefined;
  readonly until: number | undefined;
};

const timeOf = (timestamp: string | undefined): number | undefined =>
  timestamp === undefined ? undefined : Date.parse(timestamp);

function matcher(query: TruthParameters): (assertion: TruthAssertion) => boolean {
  const { subject, predicate, source, minConfidence = 0 } = query;
  const [since = -Infinity, until = Infinity] = [timeOf(query.since), timeOf(query.until)];
  return (assertion) => {
    const at = Date.parse(assertion.timestamp);
    return (
      (subject === undefined || assertion.subject === subject) &&
      (predicate === undefined || assertion.predicate === predicate) &&
      (source === undefined || assertion.source === source) &&
      assertion.confidence >= minConfidence &&
      at >= since &&
      at <= until
    );
  };
}

function read(
  store: Store,
  query: TruthParameters,
  { cursor, since, until }: Range,
): Promise<ChainPage<TruthAssertion>> {
  return readChain(store, {
    chain: TRUTH_CHAIN,
    limit: query.limit,
    cursor,
    since: since === undefined ? undefined : since - SLACK_MS,
    until: until === undefined ? undefined : until + SLACK_MS,
    read: toAssertions,
    matches: matcher(query),
  });
}

/** When a subject's assertion was made, as far as the store still knows it: no index of subjects is kept. */
async function endOf(store: Store, subject: string | undefined): Promise<number | undefined> {
  if (!subject?.startsWith(JOB)) return undefined;
  return (await store.loadJob(subject.slice(JOB.length)))?.end?.endedAt;
}

/** One page of the record of what ran, newest first. */
export async function queryTruth(store: Store, query: TruthParameters): Promise<TruthQueryResult> {
  const { cursor } = query;
  const endedAt = cursor === undefined ? await reading(endOf(store, query.subject)) : undefined;
  if (endedAt !== undefined) {
    const near = await reading(read(store, query, { cursor, since: endedAt, until: endedAt }));
    const last = near.entries.at(-1);
    // An assertion's id is its place: should there be older ones of the subject, they are before it.
    if (last !== undefined) return { assertions: [...near.entries], nextCursor: last.id };
  }
  const { entries, next } = await reading(
    read(store, query, { cursor, since: timeOf(query.since), until: timeOf(query.until) }),
  );
  return { assertions: [...entries], ...(next !== undefined && { nextCursor: next }) };
}
