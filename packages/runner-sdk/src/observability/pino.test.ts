import { pino } from 'pino';
import { expect, test } from 'vitest';
import { defineCapability } from '../capability/define-capability.js';
import { greet, post, requestOf, startRunner } from '../lifecycle/runner-fixture.suite.js';

function startPino(level = 'debug') {
  const lines: Array<Record<string, unknown>> = [];
  const destination = {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  };
  return { lines, logger: pino({ level, name: 'app' }, destination) };
}

test('a pino logger takes the lines of the runner and of its handlers, with their fields', async () => {
  const { lines, logger } = startPino();
  const { url } = await startRunner({ logger });
  await post(`${url}/execute`, requestOf('hello.greet', { name: 'Ada' }, { executionId: 'e1' }));
  expect(lines).toContainEqual(expect.objectContaining({ name: 'app', level: 30, msg: 'started', url }));
  expect(lines).toContainEqual(
    expect.objectContaining({
      level: 30,
      msg: 'greeting',
      executionId: 'e1',
      jobId: 'job-1',
      capability: 'hello.greet',
      fields: { name: 'Ada' },
    }),
  );
});

test('a pino logger writes an error with its stack, by its own serializer', async () => {
  const { lines, logger } = startPino('warn');
  const fails = defineCapability({
    id: 'fails',
    version: '1.0.0',
    description: 'Fails.',
    input: greet.input,
    execute() {
      throw new TypeError('broken');
    },
  });
  const { url } = await startRunner({ logger, capabilities: [fails] });
  await post(`${url}/execute`, requestOf('fails', { name: 'Ada' }));
  expect(lines).toEqual([
    expect.objectContaining({
      level: 40,
      msg: 'execution failed: broken',
      err: expect.objectContaining({
        type: 'TypeError',
        message: 'broken',
        stack: expect.stringContaining('pino.test'),
      }),
    }),
  ]);
});
