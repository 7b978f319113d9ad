import type { FinishJob, InsertJob, Outcome, Store } from './store.js';

/** A job that is submitted. */
export const insertion = (id: string, overrides: Partial<InsertJob> = {}): InsertJob => ({
  kind: 'insert-job',
  id,
  type: 'kind.a',
  head: '{"h":1}',
  input: '{"i":1}',
  createdAt: 1_000,
  state: 'queued',
  lease: undefined,
  ...overrides,
});

/** A job that ends. */
export const ending = (seq: number, overrides: Partial<FinishJob> = {}): FinishJob => ({
  kind: 'finish-job',
  seq,
  status: 'completed',
  attempt: 1,
  eventSeq: 1,
  startedAt: 1_500,
  endedAt: 2_000,
  runnerId: 'r1',
  runnerVersion: '1.0.0',
  executionId: 'x1',
  data: '{"ok":true}',
  error: undefined,
  dropped: 0,
  droppedBytes: 0,
  ...overrides,
});

/** The seq that an insertion came to. */
export const seqOf = (outcome: Outcome | undefined): number => {
  if (typeof outcome !== 'object') throw new Error(`expected a seq, got ${String(outcome)}`);
  return outcome.seq;
};
/** Submits jobs of these ids, in one batch. */
export const inserted = async (store: Store, ids: readonly string[]): Promise<number[]> =>
  (await store.commit(ids.map((id) => insertion(id)))).map(seqOf);
