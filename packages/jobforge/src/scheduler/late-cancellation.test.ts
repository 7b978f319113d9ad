import { afterEach, expect, it } from 'vitest';
import { openForges } from '../testing/open-forge.js';

const test = openForges();
afterEach(test.close);

const echo = { capability: 'echo', input: { text: 'hi' } };

it('a runner that is told to stop before it has accepted is told again', async () => {
  const { forge, runner } = await test.pair({ form: 'batch', handle: () => undefined });
  const job = await forge.submit(echo);
  const execution = await runner.execution(0);
  await job.cancel();
  await expect.poll(() => runner.cancelled).toHaveLength(1);
  execution.accept();
  await expect.poll(() => runner.cancelled).toHaveLength(2);
  execution.send({ type: 'cancelled', reason: 'user' });
  expect(await job.result()).toMatchObject({ error: { code: 'EXECUTION_CANCELLED' } });
});

it('a stream that breaks while JobForge stops is taken up again', async () => {
  const { forge, runner } = await test.pair({
    form: 'batch',
    handle(execution) {
      execution.accept();
      if (runner.executions.length > 1) execution.succeed('done');
    },
  });
  const job = await forge.submit(echo);
  for await (const { type } of job.events()) if (type === 'job.started') break;
  const result = job.result();
  const stopped = forge.stop({ drainMs: 10_000 });
  runner.executions[0]?.drop();
  expect(await result).toMatchObject({ data: 'done' });
  await stopped;
});
