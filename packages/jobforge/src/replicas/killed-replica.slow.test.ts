import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { JobBatchResponse, JobList, TruthQueryResult } from '@controlplane/contracts';
import { openPostgres } from '../store/postgres-driver.js';
import { readPostgresUrl } from '../store/postgres-url.js';
import { missingPostgres, startPostgres, type PostgresCluster } from '../testing/postgres-cluster.js';
import { newDiary, startTirelessRunner, type Diary } from '../testing/tireless-runner.fixture.js';

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
async function submit(
  { urls, refusals }: Pick<Stage, 'refusals'> & { readonly urls: readonly string[] },
  ids: readonly string[],
): Promise<void> {
  const jobs = ids.map((id) => ({ id, type: 'echo', payload: { type: 'echo', data: { text: id } } }));
  for (let attempt = 0; ; attempt += 1) {
    try {
      const answer = JobBatchResponse.parse(
        await json(`${urls[attempt % urls.length]}/jobs/batch`, { jobs }),
      );
      const errors = answer.jobs.flatMap((entry) => ('error' in entry ? [entry.error] : []));
      if (errors.length === 0) return;
      for (const { code, retryable } of errors) refusals.add(`${code} ${retryable}`);
    } catch {
      // Killed in the middle, or gone: the other is asked.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function submitAll(urls: readonly string[], refusals: Set<string>): Promise<void> {
  let next = 0;
  const lane = async (_: unknown, index: number): Promise<void> => {
    const own = index % 2 === 0 ? urls : urls.toReversed();
    while (next < JOBS) {
      const first = next;
      next += BATCH;
      const ids = Array.from({ length: BATCH }, (_id, at) => `job-${first + at}`);
      await submit({ urls: own, refusals }, ids);
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

interface Stage {
  readonly cluster: PostgresCluster;
  readonly replicas: readonly ReplicaProcess[];
  readonly diary: Diary;
  /** Codes of refused submissions, and whether they may be sent again. */
  readonly refusals: Set<string>;
}

/** Two replicas in processes of their own, over one database, and runners that go to either. */
async function openStage(): Promise<Stage> {
  const cluster = await startPostgres();
  closing.push(() => cluster.stop());
  const files = mkdtempSync(join(tmpdir(), 'jobforge-'));
  closing.push(() => rmSync(files, { recursive: true, force: true }));
  const store = cluster.newUrl();
  const replicas = [await startReplica(store, files), await startReplica(store, files)];
  const urls = replicas.map(({ url }) => url);
  const diary = newDiary();
  for (let index = 0; index < RUNNERS; index += 1) {
    const own = index % 2 === 0 ? urls : urls.toReversed();
    closing.push(startTirelessRunner({ name: `runner-${index}`, urls: own, slots: SLOTS, diary }));
  }
  return { cluster, replicas, diary, refusals: new Set() };
}

/** Has all jobs done, while something happens half-way. */
async function run({ replicas, diary, refusals }: Stage, happens: () => Promise<unknown>): Promise<void> {
  const answered = (): number => diary.answered.size;
  const submitted = submitAll(
    replicas.map(({ url }) => url),
    refusals,
  );
  await expect.poll(answered, { timeout: 120_000, interval: 20 }).toBeGreaterThan(JOBS / 2);
  await happens();
  await submitted;
  await expect.poll(answered, { timeout: 120_000, interval: 100 }).toBe(JOBS);
}

/** Each job has completed, by the end that its runner told of, and was begun once. */
async function checkEnds({ diary }: Stage, url: string): Promise<void> {
  const jobs = await completedAt(url);
  expect(new Set(jobs.map(({ id }) => id)).size).toBe(JOBS);
  expect(jobs).toHaveLength(JOBS);
  const by = ({ result }: (typeof jobs)[number]) => (result?.data as { by?: string } | undefined)?.by;
  expect(jobs.filter((job) => by(job) !== diary.answered.get(job.id)?.executionId)).toEqual([]);
  // Whoever held an execution goes on with it, wherever its job is then.
  expect([...diary.began].filter(([, times]) => times > 1)).toEqual([]);
  // Of what was on disk and had not been acknowledged when its JobForge was killed, the other knows the job alone.
  const codes = new Set([...diary.answered.values()].map(({ code }) => code));
  expect([...codes].filter((code) => code !== undefined && code !== 'EXECUTION_NOT_FOUND')).toEqual([]);
}

const healthOf = ({ replicas }: Stage): ReturnType<typeof expect.poll<unknown>> =>
  expect.poll(() => Promise.all(replicas.map(async ({ url }) => (await fetch(`${url}/health`)).status)), {
    timeout: 60_000,
    interval: 50,
  });

/** Nothing was lost and nothing was written twice, and whoever was refused meanwhile was told to come again. */
async function checkRecovered(stage: Stage): Promise<void> {
  expect(stage.replicas.map(({ child }) => child.exitCode)).toEqual([null, null]);
  const url = stage.replicas[0]?.url ?? '';
  await checkEnds(stage, url);
  expect(await assertionsAt(url)).toHaveLength(JOBS);
  await healthOf(stage).toEqual([200, 200]);
  expect([...stage.refusals]).toEqual(stage.refusals.size === 0 ? [] : ['STORE_UNAVAILABLE true']);
}

/** Those of JobForges, but the one that asks. */
const END_CONNECTIONS = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE application_name LIKE 'jobforge%' AND pid <> pg_backend_pid()`;

describe.skipIf(missingPostgres() !== undefined)(
  `${JOBS} jobs of ${RUNNERS} runners over two replicas`,
  () => {
    it('end exactly once where one of the two is killed with -9 half-way', async () => {
      const stage = await openStage();
      const [victim, survivor] = stage.replicas;
      await run(stage, async () => victim?.child.kill('SIGKILL'));
      const url = survivor?.url ?? '';
      await checkEnds(stage, url);
      expect(await assertionsAt(url)).toHaveLength(JOBS);
    }, 300_000);

    it('end exactly once where the database crashes half-way and comes back', async ({ skip }) => {
      const stage = await openStage();
      skip(!stage.cluster.own, 'DATABASE_URL names a server that is not the tests’ own');
      await run(stage, async () => {
        await stage.cluster.crash();
        await healthOf(stage).toEqual([503, 503]);
        await stage.cluster.start();
      });
      await checkRecovered(stage);
    }, 300_000);

    it('end exactly once where connections are ended again and again', async () => {
      const stage = await openStage();
      const database = await openPostgres(readPostgresUrl(stage.cluster.newUrl()), { waitsForDisk: true });
      closing.push(database.close);
      await run(stage, async () => {
        for (let round = 0; round < 50; round += 1) {
          await database.query(END_CONNECTIONS);
          // As long as it takes to come back, and to have something on its way.
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      });
      await checkRecovered(stage);
    }, 300_000);
  },
);
