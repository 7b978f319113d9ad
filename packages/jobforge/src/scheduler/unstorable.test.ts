import { expect, it, onTestFinished } from 'vitest';
import { JobSubmission } from '@controlplane/contracts';
import { systemClock } from '../model/clock.js';
import { DEFAULT_LIMITS } from '../model/limits.js';
import { silentLog } from '../model/log.js';
import { openSqliteStore } from '../store/sqlite-store.js';
import type { Store } from '../store/store.js';
import { startStubRunner, type StubExecution } from '../testing/stub-runner.js';
import { createEngine, type Engine } from './engine.js';

/** A control plane whose store refuses every batch with a word in it. */
async function engineRefusing(word: string, handle: (execution: StubExecution) => void): Promise<Engine> {
  const sqlite = await openSqliteStore({ location: ':memory:' });
  const store: Store = {
    ...sqlite,
    commit: async (batch) => {
      if (JSON.stringify(batch).includes(word)) throw new Error('string or blob too big');
      return sqlite.commit(batch);
    },
  };
  const engine = createEngine({
    store,
    limits: DEFAULT_LIMITS,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
  });
  await engine.start();
  onTestFinished(() => engine.stop());
  const runner = await startStubRunner({ form: 'batch', handle });
  onTestFinished(() => runner.close());
  await engine.operations.registerRunner(runner.registration());
  return engine;
}

const submission = (id: string, text: string): JobSubmission =>
  JobSubmission.parse({ id, type: 'echo', payload: { type: 'echo', data: { text } } });

async function endOf({ operations }: Engine, id: string): Promise<unknown> {
  for await (const event of operations.jobEvents(id)) if (event.type === 'job.log') continue;
  return (await operations.showJob(id)).result;
}

it('a result that the store refuses fails its job alone and says so', async () => {
  const engine = await engineRefusing('unstorable', (execution) => {
    execution.accept();
    execution.succeed({ said: execution.request.payload['text'] === 'bad' ? 'unstorable' : 'fine' });
  });
  await engine.operations.submitJobs([submission('bad', 'bad'), submission('good', 'good')]);
  expect(await endOf(engine, 'good')).toMatchObject({ success: true });
  expect(await endOf(engine, 'bad')).toMatchObject({ success: false, error: { code: 'STORE_UNAVAILABLE' } });
});

it('a log line that the store refuses is counted as left out, and the job completes', async () => {
  const engine = await engineRefusing('unstorable', (execution) => {
    execution.accept();
    execution.send({ type: 'log', level: 'info', message: 'unstorable' });
    execution.succeed(1);
  });
  await engine.operations.submitJob(submission('a', 'a'));
  expect(await endOf(engine, 'a')).toMatchObject({ success: true });
  const events = [];
  for await (const event of engine.operations.jobEvents('a')) events.push(event);
  expect(events.at(-1)).toMatchObject({ type: 'job.completed' });
});

it('an error that the store refuses ends its job instead of leaving it between two attempts', async () => {
  const engine = await engineRefusing('unstorable', (execution) => {
    execution.accept();
    execution.fail('UPSTREAM', { message: 'unstorable', retryable: true });
  });
  await engine.operations.submitJob(submission('a', 'a'));
  expect(await endOf(engine, 'a')).toMatchObject({ success: false, error: { code: 'STORE_UNAVAILABLE' } });
});
