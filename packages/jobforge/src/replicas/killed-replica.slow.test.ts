import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { JobBatchResponse, JobList, TruthQueryResult } from '@controlplane/contracts';
import { missingPostgres, startPostgres } from '../testing/postgres-cluster.js';
import { newDiary, startTirelessRunner } from '../testing/tireless-runner.fixture.js';

const JOBS = 20_000;
const RUNNERS = 20;
const SLOTS = 25;
const BATCH = 100;
const PAGE = 1_000;

const program = fileURLToPath(new URL('replica-process.fixture.mjs', import.meta.url));

interface ReplicaProcess {
  readonly child: ChildProcess;
  readonly url: string;
}

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function startReplica(store: string, files: string): Promise<ReplicaProcess> {
  const child = spawn(process.execPath, [program, store, files], { stdio: ['pipe', 'pipe', 'inherit'] });
  closing.push(() => child.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, url: line };
}

async function json(url: string, body?: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(
    url,
    body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) },
  );
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** Submits jobs of known ids to whichever replica answers, until it says that it has them. */
async function submit(urls: readonly string[], ids: readonly string[]): Promise<void> {
  const jobs = ids.map((id) => ({ id, type: 'echo', payload: { type: 'echo', data: { text: id } } }));
  for (let attempt = 0; ; attempt += 1) {
    try {
      const answer = JobBatchResponse.parse(
        await json(`${urls[attempt % urls.length]}/jobs/batch`, { jobs }),
      );
      if (answer.jobs.every((entry) => !('error' in entry))) return;
    } catch {
      // Killed in the middle, or gone: the other is asked.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function submitAll(urls: readonly string[]): Promise<void> {
  let next = 0;
  const lane = async (_: unknown, index: number): Promise<void> => {
    const own = index % 2 === 0 ? urls : urls.toReversed();
    while (next < JOBS) {
      const first = next;
      next += BATCH;
      await submit(
        own,
        Array.from({ length: BATCH }, (_id, at) => `job-${first + at}`),
      );
    }
  };
  await Promise.all(Array.from({ length: 4 }, lane));
}

/** Reads all pages of something. */
async function all<T>(read: (cursor: string) => Promise<{ items: readonly T[]; next: string | undefined }>) {
  const found: T[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    const page: { items: readonly T[]; next: string | undefined } = await read(cursor);
    found.push(...page.items);
    cursor = page.next;
  }
  return found;
}

const completedAt = (url: string) =>
  all(async (cursor) => {
    const query = `status=completed&limit=${PAGE}${cursor && `&cursor=${cursor}`}`;
    const { items, nextCursor } = JobList.parse(await json(`${url}/jobs?${query}`));
    return { items, next: nextCursor };
  });
const assertionsAt = (url: string) =>
  all(async (cursor) => {
    const query = `limit=${PAGE}${cursor && `&cursor=${cursor}`}`;
    const { assertions, nextCursor } = TruthQueryResult.parse(await json(`${url}/truth?${query}`));
    return { items: assertions, next: nextCursor };
  });

describe.skipIf(missingPostgres() !== undefined)('one of two JobForges over one database', () => {
  it(`is killed with -9 half-way through ${JOBS} jobs of ${RUNNERS} runners: each ends exactly once`, async () => {
    const cluster = await startPostgres();
    closing.push(() => cluster.stop());
    const files = mkdtempSync(join(tmpdir(), 'jobforge-'));
    closing.push(() => rmSync(files, { recursive: true, force: true }));
    const store = cluster.newUrl();
    const victim = await startReplica(store, files);
    const survivor = await startReplica(store, files);
    const urls = [victim.url, survivor.url];
    const diary = newDiary();
    for (let index = 0; index < RUNNERS; index += 1) {
      const own = index % 2 === 0 ? urls : urls.toReversed();
      closing.push(startTirelessRunner({ name: `runner-${index}`, urls: own, slots: SLOTS, diary }));
    }
    const submitted = submitAll(urls);
    await expect
      .poll(() => diary.answered.size, { timeout: 120_000, interval: 20 })
      .toBeGreaterThan(JOBS / 2);
    victim.child.kill('SIGKILL');
    await submitted;
    await expect.poll(() => diary.answered.size, { timeout: 120_000, interval: 100 }).toBe(JOBS);

    const jobs = await completedAt(survivor.url);
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(JOBS);
    // The end that a runner told of is the one that stands.
    const by = ({ result }: (typeof jobs)[number]) => (result?.data as { by?: string } | undefined)?.by;
    expect(jobs.filter((job) => by(job) !== diary.answered.get(job.id)?.executionId)).toEqual([]);
    const asserted = (await assertionsAt(survivor.url)).map((assertion) => JSON.stringify(assertion));
    expect(asserted).toHaveLength(JOBS);
    // Whoever held an execution when its JobForge was killed goes on with it at the other.
    expect([...diary.began].filter(([, times]) => times > 1)).toEqual([]);
    // Of what was on disk when its JobForge was killed, and not acknowledged yet, the other knows the job alone.
    const codes = new Set([...diary.answered.values()].map(({ code }) => code));
    expect([...codes].filter((code) => code !== undefined && code !== 'EXECUTION_NOT_FOUND')).toEqual([]);
  }, 300_000);
});
