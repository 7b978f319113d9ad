import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineCapability } from '../capability/define-capability.js';
import { createDeferred } from '../util/deferred.js';
import { greet, post, requestOf, startRunner } from './runner-fixture.suite.js';

const words = { version: '1.0.0', description: 'For a test.' };
const lines = { 'content-type': 'application/x-ndjson' };

/** Says more than sockets hold, then waits for its end. */
function createTalkative() {
  const spoken = createDeferred<void>();
  const done = createDeferred<void>();
  const capability = defineCapability({
    ...words,
    id: 'talkative',
    input: z.object({}),
    async execute(_input, { log }) {
      for (let index = 0; index < 20_000; index++) {
        log.info('x'.repeat(900));
        if (index % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      spoken.resolve();
      await done.promise;
    },
  });
  return { capability, spoken: spoken.promise, done };
}

/** Its input is checked when the test says so. */
function createSlowlyChecked() {
  const checked = createDeferred<void>();
  let calls = 0;
  const input = z.object({}).refine(async () => checked.promise.then(() => true));
  const capability = defineCapability({
    ...words,
    id: 'checked',
    input,
    inputJsonSchema: { type: 'object' },
    execute: () => ++calls,
  });
  return { capability, checked };
}

/** Sends a batch and reads nothing of the answer. */
async function openBatch(url: string, batch: readonly object[]): Promise<IncomingMessage> {
  const request = httpRequest(`${url}/execute`, { method: 'POST', headers: lines });
  request.end(batch.map((one) => JSON.stringify(one)).join('\n'));
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.pause();
  return response;
}

test('what cannot be told in time that it is accepted does not run, and may be offered again', async () => {
  const { capability, spoken, done } = createTalkative();
  const slow = createSlowlyChecked();
  const { url } = await startRunner({
    capabilities: [capability, slow.capability],
    maxLogBytes: 64 * 1024 * 1024,
  });
  const response = await openBatch(url, [
    requestOf('talkative', {}, { executionId: 'e1' }),
    requestOf('checked', {}, { executionId: 'e2' }),
  ]);
  await spoken;
  slow.checked.resolve();
  const usedSlots = async (): Promise<unknown> =>
    ((await (await fetch(`${url}/status`)).json()) as { slots: { used: number } }).slots.used;
  await expect.poll(usedSlots).toBe(1);
  done.resolve();
  const said = (await text(response)).split('\n').filter(Boolean);
  const ids = said.map((line) => (JSON.parse(line) as { executionId: string }).executionId);
  expect(new Set(ids)).toEqual(new Set(['e1']));
  const again = await post(`${url}/execute`, requestOf('checked', {}, { executionId: 'e2' }));
  // The first call of its handler there ever was.
  expect(again.json).toMatchObject({ success: true, data: 1 });
});

test('acceptances do not wait behind what ended a while ago', async () => {
  const large = defineCapability({
    ...words,
    id: 'large',
    input: z.object({}),
    execute: () => 'x'.repeat(1024 * 1024),
  });
  const { url } = await startRunner({ capabilities: [large, greet], maxConcurrency: 20 });
  const ended = Array.from({ length: 4 }, (_, index) => `ended-${index}`);
  for (const executionId of ended) await post(`${url}/execute`, requestOf('large', {}, { executionId }));
  const fresh = Array.from({ length: 10 }, (_, index) => `fresh-${index}`);
  const response = await openBatch(url, [
    ...ended.map((executionId) => requestOf('large', {}, { executionId })),
    ...fresh.map((executionId) => requestOf('hello.greet', { name: 'Ada' }, { executionId })),
  ]);
  const said = (await text(response))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { type: string; executionId: string });
  const lastAccepted = said.findLastIndex(({ type }) => type === 'accepted');
  const results = said.flatMap(({ type, executionId }, index) =>
    type === 'succeeded' && executionId.startsWith('ended') ? [index] : [],
  );
  // The first may leave with the acceptances; what it fills the line with comes after them.
  expect(results.filter((index) => index < lastAccepted)).toHaveLength(1);
  expect(results).toHaveLength(4);
  expect(said.filter(({ type }) => type === 'succeeded')).toHaveLength(14);
});
