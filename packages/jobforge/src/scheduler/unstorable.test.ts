import { expect, it, onTestFinished } from 'vitest';
import { JobSubmission } from '@controlplane/contracts';
import { engineRefusing } from '../testing/engine-over.fixture.js';
import { startStubRunner, type StubExecution } from '../testing/stub-runner.js';
import type { Engine } from './engine.js';

/** A control plane whose store refuses every batch with a word in it, and its runner. */
async function pairRefusing(word: string, handle: (execution: StubExecution) => void): Promise<Engine> {
  const engine = await engineRefusing(word);
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
  const engine = await pairRefusing('unstorable', (execution) => {
    execution.accept();
    execution.succeed({ said: execution.request.payload['text'] === 'bad' ? 'unstorable' : 'fine' });
  });
  await engine.operations.submitJobs([submission('bad', 'bad'), submission('good', 'good')]);
  expect(await endOf(engine, 'good')).toMatchObject({ success: true });
  expect(await endOf(engine, 'bad')).toMatchObject({ success: false, error: { code: 'STORE_UNAVAILABLE' } });
});

it('a log line that the store refuses is counted as left out, and the job completes', async () => {
  const engine = await pairRefusing('unstorable', (execution) => {
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
  const engine = await pairRefusing('unstorable', (execution) => {
    execution.accept();
    execution.fail('UPSTREAM', { message: 'unstorable', retryable: true });
  });
  await engine.operations.submitJob(submission('a', 'a'));
  expect(await endOf(engine, 'a')).toMatchObject({ success: false, error: { code: 'STORE_UNAVAILABLE' } });
});
