import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { request as httpRequest, type ServerResponse } from 'node:http';
import { ExecutionEvent, RunnerExecutionResponse } from '@controlplane/contracts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { defineCapability } from '../capability/define-capability.js';
import { createHeld, greet, post, requestOf, startRunner } from './runner-fixture.suite.js';

const words = { version: '1.0.0', description: 'For a test.', input: z.object({}) };
const ndjson = { accept: 'application/x-ndjson' };

describe('POST /execute, answered as JSON', () => {
  test('runs the capability', async () => {
    const { url, runner } = await startRunner();
    await runner.ready();
    const { status, json } = await post(`${url}/execute`, requestOf('hello.greet', { name: 'Ada' }));
    expect(status).toBe(200);
    expect(RunnerExecutionResponse.parse(json)).toMatchObject({
      jobId: 'job-1',
      executionId: 'job-1',
      success: true,
      data: { message: 'Hello, Ada' },
      runnerId: 'runner-1',
      executionTimeMs: expect.any(Number),
    });
  });

  test.each([
    ['the input is wrong', requestOf('hello.greet', { name: 1 }), { status: 400, code: 'VALIDATION_ERROR' }],
    ['the capability is unknown', requestOf('nothing'), { status: 404, code: 'CAPABILITY_NOT_FOUND' }],
    ['the handler throws', requestOf('broken'), { status: 500, code: 'EXECUTION_FAILED' }],
    [
      'the time is over',
      requestOf('slow', {}, { timeoutMs: 10 }),
      { status: 504, code: 'EXECUTION_TIMEOUT' },
    ],
  ])('answers with the status and envelope of the error when %s', async (_when, body, expected) => {
    const broken = defineCapability({
      ...words,
      id: 'broken',
      execute: () => {
        throw new Error('no');
      },
    });
    const { url } = await startRunner({ capabilities: [greet, broken, createHeld('slow').capability] });
    const { status, json } = await post(`${url}/execute`, body);
    expect(status).toBe(expected.status);
    const reply = RunnerExecutionResponse.parse(json);
    expect(reply).toMatchObject({
      success: false,
      jobId: 'job-1',
      error: { code: expected.code, service: 'images' },
    });
  });

  test('answers a repeated execution with the same outcome and runs it once', async () => {
    const held = createHeld();
    const { url } = await startRunner({ capabilities: [held.capability] });
    const first = post(`${url}/execute`, requestOf('held'));
    await held.started;
    const second = post(`${url}/execute`, requestOf('held'));
    held.done.resolve({ n: 1 });
    const third = post(`${url}/execute`, requestOf('held'));
    const replies = await Promise.all([first, second, third]);
    expect(new Set(replies.map(({ json }) => JSON.stringify(json))).size).toBe(1);
    expect(held.calls).toHaveLength(1);
  });

  test('refuses with 429 when no slot is free', async () => {
    const held = createHeld();
    const { url } = await startRunner({ capabilities: [held.capability], maxConcurrency: 1 });
    const first = post(`${url}/execute`, requestOf('held'));
    await held.started;
    const { status, json } = await post(`${url}/execute`, requestOf('held', {}, { executionId: 'other' }));
    expect(status).toBe(429);
    expect(json).toMatchObject({ error: { code: 'RUNNER_BUSY', retryable: true } });
    held.done.resolve(1);
    await first;
  });

  test('refuses with 409 what is meant for another process', async () => {
    const held = createHeld();
    const { url } = await startRunner({ capabilities: [held.capability] });
    const { status, json } = await post(`${url}/execute`, requestOf('held', {}, { instanceId: 'before' }));
    expect(status).toBe(409);
    expect(json).toMatchObject({ error: { code: 'INSTANCE_MISMATCH', retryable: false } });
    expect(held.calls).toEqual([]);
  });
});

describe('POST /execute, streamed', () => {
  test('writes every event as it happens', async () => {
    const held = createHeld();
    const { url } = await startRunner({ capabilities: [held.capability] });
    const response = await fetch(`${url}/execute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...ndjson },
      body: JSON.stringify(requestOf('held')),
    });
    const reader = (response.body as ReadableStream<Uint8Array>)
      .pipeThrough(new TextDecoderStream())
      .getReader();
    expect((await reader.read()).value).toContain('"accepted"');
    (await held.started).log.info('one');
    expect((await reader.read()).value).toContain('"one"');
    held.done.resolve('done');
    expect((await reader.read()).value).toContain('"succeeded"');
    expect((await reader.read()).done).toBe(true);
  });

  test('writes valid events with rising seqs', async () => {
    const { url } = await startRunner();
    const { lines, headers } = await post(
      `${url}/execute`,
      requestOf('hello.greet', { name: 'Ada "quoted" \n😀' }),
      ndjson,
    );
    const events = lines.map((line) => ExecutionEvent.parse(line));
    expect(events.map(({ type, seq }) => [type, seq])).toEqual([
      ['accepted', 0],
      ['log', 1],
      ['progress', 2],
      ['succeeded', 3],
    ]);
    expect(events[3]).toMatchObject({ data: { message: 'Hello, Ada "quoted" \n😀' } });
    expect(headers.get('content-type')).toBe('application/x-ndjson');
  });

  test.each(['one', 'batch', 'one with an input that takes its time to check'])(
    'has sent accepted before a handler can block the thread (%s)',
    async (form) => {
      const found: { response?: ServerResponse } = {};
      const onRequest = (message: unknown): void =>
        void (found.response = (message as { response: ServerResponse }).response);
      subscribe('http.server.request.start', onRequest);
      onTestFinished(() => void unsubscribe('http.server.request.start', onRequest));
      let unsentBytes = Number.NaN;
      const looking = defineCapability({
        ...words,
        id: 'looking',
        input: form.includes('time') ? words.input.refine(async () => Promise.resolve(true)) : words.input,
        execute() {
          if (found.response?.headersSent) unsentBytes = found.response.socket?.writableLength ?? Number.NaN;
        },
      });
      const { runner, url } = await startRunner({ capabilities: [looking] });
      await runner.ready();
      const headers = form.startsWith('one') ? ndjson : { 'content-type': 'application/x-ndjson' };
      const { lines } = await post(`${url}/execute`, JSON.stringify(requestOf('looking')), headers);
      expect(lines.map(({ type }) => type)).toEqual(['accepted', 'succeeded']);
      expect(unsentBytes).toBe(0);
    },
  );

  test('takes a batch, and one bad line harms no other', async () => {
    const { url } = await startRunner();
    const batch = [
      JSON.stringify(requestOf('hello.greet', { name: 'Ada' }, { executionId: 'e1' })),
      '',
      JSON.stringify({ executionId: 'e2', jobId: 'j' }),
      JSON.stringify(requestOf('hello.greet', { name: 1 }, { executionId: 'e3' })),
      JSON.stringify(requestOf('hello.greet', { name: 'Bob' }, { executionId: 'e4' })),
    ].join('\n');
    const { lines, status } = await post(`${url}/execute`, batch, { 'content-type': 'application/x-ndjson' });
    expect(status).toBe(200);
    const ofExecution = (id: string): unknown[] =>
      lines.filter(({ executionId }) => executionId === id).map(({ type }) => type);
    expect(ofExecution('e1')).toEqual(['accepted', 'log', 'progress', 'succeeded']);
    expect(ofExecution('e2')).toEqual(['failed']);
    expect(ofExecution('e3')).toEqual(['failed']);
    expect(ofExecution('e4')).toEqual(['accepted', 'log', 'progress', 'succeeded']);
    for (const line of lines) expect(ExecutionEvent.safeParse(line).success).toBe(true);
  });

  test.each([
    ['a line without a readable id', `${JSON.stringify(requestOf('hello.greet', { name: 'Ada' }))}\n{"x":1}`],
    ['a line that is not JSON', `${JSON.stringify(requestOf('hello.greet', { name: 'Ada' }))}\n{nonsense`],
    ['no line at all', '\n\n'],
  ])('refuses a batch with %s as a whole, and starts nothing', async (_what, batch) => {
    const { url, runner } = await startRunner();
    const { status, json } = await post(`${url}/execute`, batch, { 'content-type': 'application/x-ndjson' });
    expect(status).toBe(400);
    expect(json).toMatchObject({ success: false, error: { code: 'VALIDATION_ERROR' } });
    expect((await post(`${runner.url}/executions/job-1/cancel`, {})).status).toBe(404);
  });

  test('goes on when the reader leaves, and is found again by the same execution', async () => {
    const held = createHeld();
    const { url } = await startRunner({ capabilities: [held.capability] });
    const leaving = new AbortController();
    const options = {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...ndjson },
      body: JSON.stringify(requestOf('held')),
    };
    const first = await fetch(`${url}/execute`, { ...options, signal: leaving.signal });
    const { signal, log } = await held.started;
    log.info('before');
    await (first.body as ReadableStream<Uint8Array>).getReader().read();
    leaving.abort();
    const again = post(`${url}/execute`, requestOf('held'), ndjson);
    // An answered request on the same server comes after the abort was seen.
    await post(`${url}/executions/none/cancel`, {});
    expect(signal.aborted).toBe(false);
    held.done.resolve('result');
    expect((await again).lines.map(({ type }) => type)).toEqual(['accepted', 'log', 'succeeded']);
    expect(held.calls).toHaveLength(1);
  });

  test('waits for a slow reader within its bounds, and the reader still gets the end', async () => {
    const talkative = defineCapability({
      ...words,
      id: 'talkative',
      output: z.number(),
      async execute(_input, { log, progress }) {
        for (let index = 0; index < 20_000; index++) {
          log.info('x'.repeat(900));
          await progress(index / 20_000);
          if (index % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        return 1;
      },
    });
    const { url } = await startRunner({ capabilities: [talkative], maxLogBytes: 8 * 1024 * 1024 });
    const lines = await new Promise<string[]>((resolve, reject) => {
      const request = httpRequest(
        `${url}/execute`,
        { method: 'POST', headers: { 'content-type': 'application/json', ...ndjson } },
        (response) => {
          response.pause();
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () => resolve(text.split('\n').filter(Boolean)));
          // Reads nothing until the execution has ended.
          post(`${url}/execute`, requestOf('talkative')).then(() => response.resume(), reject);
        },
      );
      request.end(JSON.stringify(requestOf('talkative')));
    });
    const events = lines.map((line) => ExecutionEvent.parse(JSON.parse(line)));
    const seqs = events.map(({ seq }) => seq);
    expect(seqs).toEqual([...seqs].sort((left, right) => left - right));
    expect(new Set(seqs).size).toBe(seqs.length);
    expect(events.at(-1)).toMatchObject({ type: 'succeeded', droppedEvents: expect.any(Number) });
    const logs = events.filter(({ type }) => type === 'log').length;
    const { droppedEvents = 0 } = events.at(-1) as Extract<ExecutionEvent, { type: 'succeeded' }>;
    expect(logs + droppedEvents).toBe(20_000);
    // Some progress was overtaken while nobody read.
    expect(events.length).toBeLessThan(20_000 + logs);
  });
});
