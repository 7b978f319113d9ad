import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { JobSubmission } from '@controlplane/contracts';
import type { JobForge } from '../control-plane.js';
import { createJobHandle } from '../embedded/job-handle.js';
import { systemClock } from '../model/clock.js';
import { DEFAULT_LIMITS } from '../model/limits.js';
import { silentLog } from '../model/log.js';
import { openSqliteStore } from '../store/sqlite-store.js';
import type { Store } from '../store/store.js';
import { openForges } from '../testing/open-forge.js';
import { createManualClock } from '../testing/manual-clock.js';
import type { StubRunner } from '../testing/stub-runner.js';
import { createEngine } from './engine.js';

const test = openForges();
let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'held-'))));
afterEach(async () => {
  await test.close();
  rmSync(folder, { recursive: true });
});

const storeOf = (): string => `sqlite:${join(folder, 'jobs.db')}`;

async function holding(forge: JobForge, name: string): Promise<StubRunner> {
  const runner = await test.runner({ form: 'batch', handle: (execution) => execution.accept() });
  await forge.operations.registerRunner(runner.registration({ name, instanceId: `i-${name}` }));
  return runner;
}

it('a rate goes on where it was', async () => {
  const clock = createManualClock();
  const options = { store: storeOf(), clock, rateLimits: { echo: { limit: 2, intervalMs: 60_000 } } };
  const first = await test.forge(options);
  const runner = await holding(first, 'one');
  for (const id of ['a', 'b']) await first.submit({ id, capability: 'echo', input: {} });
  for (const index of [0, 1]) (await runner.execution(index)).succeed({});
  for (const id of ['a', 'b']) await first.job(id).result();
  await first.stop({ drainMs: 0 });
  const second = await test.forge(options);
  const other = await holding(second, 'two');
  await second.submit({ id: 'c', capability: 'echo', input: {} });
  const { runners } = await second.operations.whyJob('c');
  expect(runners.find(({ name }) => name === 'two')).toMatchObject({ fails: 'rate-limit' });
  clock.advance(30_000);
  expect((await other.execution(0)).request.jobId).toBe('c');
});

it('a concurrency key is still taken by what goes on running, and free when that has ended', async () => {
  const first = await test.forge({ store: storeOf() });
  const runner = await holding(first, 'one');
  const concurrency = { key: 'k' };
  await first.submit({ id: 'a', capability: 'echo', input: {}, concurrency });
  await runner.execution(0);
  await first.submit({ id: 'b', capability: 'echo', input: {}, concurrency });
  await first.stop({ drainMs: 0 });
  const second = await test.forge({ store: storeOf() });
  const again = await runner.execution(1);
  expect(again.request.jobId).toBe('a');
  expect(await second.operations.whyJob('b')).toMatchObject({
    reason: 'the concurrency key "k" is taken (1 of 1 running)',
  });
  again.succeed({});
  expect((await runner.execution(2)).request.jobId).toBe('b');
});

it('an affinity key stays with the runner on which a job of it runs', async () => {
  const first = await test.forge({ store: storeOf() });
  const one = await holding(first, 'b-one');
  const placement = { affinity: 'k' };
  await first.submit({ id: 'a', capability: 'echo', input: {}, placement });
  await one.execution(0);
  await holding(first, 'a-two');
  await first.stop({ drainMs: 0 });
  const second = await test.forge({ store: storeOf() });
  expect((await one.execution(1)).request.jobId).toBe('a');
  await second.submit({ id: 'b', capability: 'echo', input: {}, placement });
  expect((await one.execution(2)).request.jobId).toBe('b');
});

it('what came while a key was full is turned away, had JobForge died before it could say so', async () => {
  const store = await openSqliteStore({ location: ':memory:' });
  let dead = false;
  const mortal: Store = {
    ...store,
    commit: (batch) => (dead ? Promise.resolve(batch.map(() => 'done' as const)) : store.commit(batch)),
    close: () => Promise.resolve(),
  };
  const parts = { limits: DEFAULT_LIMITS, clock: systemClock, random: Math.random, log: silentLog };
  const first = createEngine({ store: mortal, ...parts });
  await first.start();
  const concurrency = { key: 'k', onConflict: 'cancel-newest' };
  const submission = (id: string): JobSubmission =>
    JobSubmission.parse({ id, type: 'x', payload: { type: 'echo', data: {} }, concurrency });
  await first.operations.submitJob(submission('a'));
  await first.operations.submitJob(submission('b')).then(() => (dead = true));
  await first.stop();
  expect((await store.loadJob('b'))?.end).toBeUndefined();
  const second = createEngine({ store, ...parts });
  await second.start();
  expect((await createJobHandle(second.operations, 'b').result()).error?.code).toBe('EXECUTION_CANCELLED');
  expect((await second.operations.showJob('a')).status).toBe('queued');
  await second.stop();
});
