import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineCapability } from '../capability/define-capability.js';
import { inMemoryHost } from '../hosts/in-memory/in-memory-host.js';
import { createDeferred } from '../util/deferred.js';
import { startRunner } from './attached-runner.suite.js';
import { runCapability } from './run-capability.js';

const reading = defineCapability({
  id: 'reading',
  version: '1.0.0',
  description: 'For a test.',
  input: z.object({ name: z.string() }),
  async execute({ name }, ctx) {
    return { names: ctx.files.list().map((file) => file.name), text: await text(ctx.files.open(name)) };
  },
});
const files = { 'a.txt': 'Grüße', b: Buffer.from([98]) };

test('a job of an in-memory host brings files', async () => {
  const host = inMemoryHost();
  await startRunner(host, [reading]);
  const job = await host.submit(reading, { name: 'a.txt' }, { files });
  expect(await host.clock.advanceUntil(job.outcome())).toMatchObject({
    state: 'completed',
    data: { names: ['a.txt', 'b'], text: 'Grüße' },
  });
  await expect(host.submit(reading, { name: 'x' }, { files: { '../x': '' } })).rejects.toThrow(
    '"../x" cannot be the name of a file',
  );
});

test('a file waits for a link that is cut', async () => {
  const host = inMemoryHost();
  const go = createDeferred<void>();
  const waiting = defineCapability({
    ...reading,
    id: 'waiting',
    async execute({ name }, ctx) {
      await go.promise;
      return text(ctx.files.open(name));
    },
  });
  await startRunner(host, [waiting]);
  const job = await host.submit(waiting, { name: 'b' }, { files });
  host.disconnect();
  go.resolve();
  await host.clock.advance('3s');
  expect(job.state).toBe('running');
  host.reconnect();
  expect(await host.clock.advanceUntil(job.outcome())).toMatchObject({ state: 'completed', data: 'b' });
});

test('a capability that is run by itself reads the files that the test gives it', async () => {
  expect(await runCapability(reading, { name: 'b' }, { files })).toMatchObject({ data: { text: 'b' } });
  const missing = await runCapability(reading, { name: 'b' });
  expect(missing).toMatchObject({
    outcome: 'failed',
    error: { message: 'reading@1.0.0: the job has no file "b"; it has none' },
  });
});
