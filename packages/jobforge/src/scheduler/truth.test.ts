import { TruthParameters, type TruthAssertion } from '@controlplane/contracts';
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { openForges } from '../testing/open-forge.js';
import { verifyChain } from '../store/chain-verification.js';
import { openSqliteStore } from '../store/sqlite-store.js';
import { createManualClock } from '../testing/manual-clock.js';
import { assertingStore } from './asserting-store.js';
import { queryTruth } from './truth-queries.js';
import { TRUTH_CHAIN } from './truth-record.js';

const test = openForges();
afterEach(test.close);

const finish = (seq: number, id: string) =>
  ({
    kind: 'finish-job',
    seq,
    status: 'completed',
    attempt: 1,
    eventSeq: 1,
    startedAt: 1_000,
    endedAt: 1_000_000 + seq,
    runnerId: 'r',
    runnerVersion: '1',
    executionId: 'x',
    data: '1',
    error: undefined,
    dropped: 0,
    droppedBytes: 0,
    jobId: id,
    capability: 'c',
  }) as const;

const insert = (id: string) =>
  ({
    kind: 'insert-job',
    id,
    type: 't',
    head: '{}',
    input: '{}',
    createdAt: 1,
    state: 'queued',
    lease: undefined,
  }) as const;

async function filled(batches: readonly (readonly string[])[]) {
  const store = assertingStore(await openSqliteStore({ location: ':memory:' }), createManualClock(1_000_000));
  let seq = 0;
  for (const ids of batches) {
    const outcomes = await store.commit(ids.map(insert));
    expect(outcomes).toHaveLength(ids.length);
    expect(await store.commit(ids.map((id) => finish((seq += 1), id)))).toHaveLength(ids.length);
  }
  return store;
}

const subjects = (assertions: readonly TruthAssertion[]): string[] =>
  assertions.map(({ subject }) => subject.slice('job:'.length));

describe('the record of what ran', () => {
  it('tells how each job ended, on which runner and with what', async () => {
    const { forge, runnerId } = await test.pair({
      form: 'ndjson',
      handle(execution) {
        execution.accept();
        if (execution.request.payload['text'] === 'fail') execution.fail('BROKEN');
        else execution.succeed({ n: 1 });
      },
    });
    const good = await forge.submit({ capability: 'echo', input: { text: 'hi' } });
    await good.result();
    const bad = await forge.submit({ capability: 'echo', input: { text: 'fail' } });
    await bad.result();
    const ask = async (query: object): Promise<TruthAssertion[]> =>
      (await forge.operations.queryTruth(TruthParameters.parse(query))).assertions;
    expect(await ask({ subject: `job:${good.id}` })).toMatchObject([
      {
        predicate: 'job.completed',
        source: `runner:${runnerId}`,
        confidence: 1,
        object: {
          capability: 'echo',
          attempt: 1,
          runnerId,
          resultSha256: createHash('sha256').update('{"n":1}').digest('hex'),
        },
      },
    ]);
    expect(await ask({})).toMatchObject([
      { subject: `job:${bad.id}`, predicate: 'job.failed', object: { errorCode: 'BROKEN' } },
      { subject: `job:${good.id}` },
    ]);
    expect(await forge.operations.verifyChains()).toMatchObject([
      { chain: 'truth', ok: true, links: 2, lastSeq: 2 },
      { chain: 'audit', ok: true },
    ]);
  });

  it('holds whatever text a runner calls its error', async () => {
    const code = 'X",null],["victim",1,"job.completed","c",1,"r","x",null,null';
    const { forge, runnerId } = await test.pair({
      form: 'ndjson',
      handle(execution) {
        execution.accept();
        execution.fail(code);
      },
    });
    const job = await forge.submit({ capability: 'echo', input: { text: 'hi' } });
    await job.result();
    expect((await forge.operations.queryTruth(TruthParameters.parse({}))).assertions).toMatchObject([
      { subject: `job:${job.id}`, source: `runner:${runnerId}`, object: { errorCode: code } },
    ]);
  });

  it('seals the ends of one commit with one link, and holds', async () => {
    const store = await filled([['a', 'b'], ['c']]);
    const links = await store.listLinks({ chain: TRUTH_CHAIN, order: 'up', limit: 10 });
    expect(links.map(({ record }) => (JSON.parse(record ?? '') as unknown[]).length)).toEqual([2, 1]);
    expect(await verifyChain(store, TRUTH_CHAIN)).toMatchObject({
      ok: true,
      links: 2,
      firstSeq: 1,
      lastSeq: 2,
    });
    await store.close();
  });

  it('is read newest first, a page at a time, across links', async () => {
    const store = await filled([['a', 'b', 'c'], ['d'], ['e', 'f']]);
    const read: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await queryTruth(store, TruthParameters.parse({ limit: 2, cursor }));
      read.push(...subjects(page.assertions));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(read).toEqual(['f', 'e', 'd', 'c', 'b', 'a']);
    await store.close();
  });

  it('is asked by subject, also after the job itself was forgotten', async () => {
    const store = await filled([['a', 'b'], ['c']]);
    const ask = async (): Promise<string[]> =>
      subjects((await queryTruth(store, TruthParameters.parse({ subject: 'job:b' }))).assertions);
    expect(await ask()).toEqual(['b']);
    await store.prune({ endedBefore: Number.MAX_SAFE_INTEGER, keepJobs: 0, limit: 100 });
    expect(await store.loadJob('b')).toBeUndefined();
    expect(await ask()).toEqual(['b']);
    await store.close();
  });

  it('is asked by predicate, source and time', async () => {
    const store = await filled([['a', 'b'], ['c']]);
    const ask = async (query: object): Promise<string[]> =>
      subjects((await queryTruth(store, TruthParameters.parse(query))).assertions);
    const at = (ms: number): string => new Date(ms).toISOString();
    expect(await ask({ predicate: 'job.completed' })).toEqual(['c', 'b', 'a']);
    expect(await ask({ predicate: 'job.failed' })).toEqual([]);
    expect(await ask({ source: 'runner:r', since: at(1_000_002) })).toEqual(['c', 'b']);
    expect(await ask({ until: at(1_000_001) })).toEqual(['a']);
    await expect(queryTruth(store, TruthParameters.parse({ cursor: 'x' }))).rejects.toMatchObject({
      envelope: { code: 'VALIDATION_ERROR' },
    });
    await store.close();
  });
});
