import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineCapability } from '../capability/define-capability.js';
import { CapabilityError } from '../errors/capability-error.js';
import { sleep } from '../util/clock.js';
import { createVirtualClock } from '../util/virtual-clock.js';
import { runCapability } from './run-capability.js';

const words = { version: '1.0.0', description: 'For a test.' };

const resize = defineCapability({
  ...words,
  id: 'image.resize',
  input: z.object({ url: z.url(), width: z.int().positive() }),
  output: z.object({ bytes: z.int() }),
  async execute({ url, width }, ctx) {
    ctx.log.info('fetching', { url, token: 'abc' });
    await ctx.progress(0.5, 'resizing');
    return { bytes: width * ctx.attempt };
  },
});
const input = { url: 'https://example.com/a.png', width: 100 };

const waiting = (clock = createVirtualClock()) => ({
  clock,
  capability: defineCapability({
    ...words,
    id: 'waiting',
    input: z.object({}),
    async execute(_input, ctx) {
      await ctx.progress(0.1);
      if (await sleep(clock, 60_000, ctx.signal)) return 'slept';
      throw ctx.signal.reason;
    },
  }),
});

describe('a run that succeeds', () => {
  test('has the result, what was logged and how far it was, and every event', async () => {
    const run = await runCapability(resize, input);
    expect(run.outcome).toBe('succeeded');
    expect(run.data).toEqual({ bytes: 100 });
    expect(run.logs).toContainEqual(expect.objectContaining({ level: 'info', message: 'fetching' }));
    expect(run.logs[0]?.fields).toEqual({ url: input.url, token: '[redacted]' });
    expect(run.progress).toEqual([expect.objectContaining({ fraction: 0.5, message: 'resizing' })]);
    expect(run.events.map(({ type }) => type)).toEqual(['accepted', 'log', 'progress', 'succeeded']);
    expect(run.durationMs).toBeGreaterThanOrEqual(0);
  });

  test('is told which attempt it is, of which job, and what the sender attached', async () => {
    const echo = defineCapability({
      ...words,
      id: 'echo',
      input: z.object({}),
      execute: (_input, { attempt, jobId, executionId, metadata }) => ({
        attempt,
        jobId,
        executionId,
        metadata,
      }),
    });
    const run = await runCapability(echo, {}, { attempt: 2, jobId: 'job-7', metadata: { userId: 'ada' } });
    expect(run.data).toEqual({
      attempt: 2,
      jobId: 'job-7',
      executionId: 'job-7.2',
      metadata: { userId: 'ada' },
    });
  });
});

test('a run keeps its checkpoints, and begins where an earlier attempt is said to have stopped', async () => {
  const walk = defineCapability({
    ...words,
    id: 'walk',
    input: z.object({ steps: z.int() }),
    checkpoint: z.object({ step: z.int() }),
    async execute({ steps }, ctx) {
      const from = ctx.lastCheckpoint?.step ?? 0;
      for (let step = from + 1; step <= steps; step++) await ctx.checkpoint({ step });
      return steps - from;
    },
  });
  const whole = await runCapability(walk, { steps: 3 });
  expect(whole).toMatchObject({ data: 3, checkpoints: [{ step: 1 }, { step: 2 }, { step: 3 }] });
  const rest = await runCapability(walk, { steps: 3 }, { attempt: 2, checkpoint: whole.checkpoints[1] });
  expect(rest).toMatchObject({ data: 1, checkpoints: [{ step: 3 }] });
});

test('a run may be given more time by its handler, and announce that it writes', async () => {
  const clock = createVirtualClock();
  const patient = defineCapability({
    ...words,
    id: 'patient',
    input: z.object({}),
    effects: 'writes',
    announcesWrites: true,
    async execute(_input, ctx) {
      await ctx.extend(10_000);
      await ctx.willWrite();
      await sleep(clock, 35_000, ctx.signal);
      ctx.output('stdout', 'done\n');
      return 'patient';
    },
  });
  const run = await clock.advanceUntil(runCapability(patient, {}, { clock }));
  expect(run).toMatchObject({ outcome: 'succeeded', data: 'patient', durationMs: 35_000 });
  expect(run.events.map(({ type }) => type)).toEqual(['accepted', 'extended', 'writing', 'log', 'succeeded']);
});

describe('a run that fails', () => {
  test.each([
    ['the schema refuses the input', { ...input, width: -1 }, ['input', 'width']],
    ['the input is no JSON', { ...input, width: 1n }, ['input']],
    ['the input is no object', 'text', ['input']],
  ])('has a VALIDATION_ERROR when %s; the handler is not called', async (_when, wrong, path) => {
    const run = await runCapability(resize, wrong as never);
    expect(run.outcome).toBe('failed');
    expect(run.error).toMatchObject({ code: 'VALIDATION_ERROR', retryable: false });
    expect(run.error?.details?.[0]?.path).toEqual(path);
    expect(run.logs).toEqual([]);
  });

  test('is given what JSON makes of its input', async () => {
    const dated = defineCapability({
      ...words,
      id: 'dated',
      input: z.object({ at: z.coerce.date(), left: z.string().optional() }),
      execute: ({ at, left }) => ({ at, has: left }),
    });
    const run = await runCapability(dated, { at: new Date(0), left: undefined });
    expect(run.data).toEqual({ at: new Date(0), has: undefined });
    const strict = defineCapability({
      ...words,
      id: 'strict',
      input: z.object({ n: z.number() }),
      execute: () => 1,
    });
    expect(await runCapability(strict, { n: Number.NaN })).toMatchObject({
      error: { code: 'VALIDATION_ERROR' },
    });
  });

  test('has the envelope of what was thrown', async () => {
    const failing = defineCapability({
      ...words,
      id: 'failing',
      input: z.object({}),
      execute: () => {
        throw new CapabilityError('NOT_FOUND', 'no such image', { retryable: false });
      },
    });
    expect(await runCapability(failing, {})).toMatchObject({
      outcome: 'failed',
      error: { code: 'NOT_FOUND', message: 'no such image', retryable: false },
    });
  });

  test('has an EXECUTION_TIMEOUT after its time, which a virtual clock makes pass', async () => {
    const { clock, capability } = waiting();
    const running = runCapability(capability, {}, { clock });
    await clock.advance('31s');
    const run = await running;
    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'EXECUTION_TIMEOUT' } });
    expect(run.durationMs).toBe(30_000);
  });

  test('has an OUTPUT_INVALID for a result that its schema refuses', async () => {
    const run = await runCapability(defineCapability({ ...resize, execute: () => ({ bytes: 0.5 }) }), input);
    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'OUTPUT_INVALID' } });
  });
});

describe('a run that is cancelled', () => {
  test('has the reason', async () => {
    const { clock, capability } = waiting();
    const stop = new AbortController();
    const running = runCapability(capability, {}, { clock, signal: stop.signal });
    await clock.advance('1s');
    stop.abort();
    expect(await running).toMatchObject({ outcome: 'cancelled', reason: 'user', durationMs: 1_000 });
    expect(await runCapability(capability, {}, { clock, signal: stop.signal })).toMatchObject({
      outcome: 'cancelled',
    });
  });

  test('may be cancelled after a certain event', async () => {
    const { clock, capability } = waiting();
    const stop = new AbortController();
    const run = await runCapability(
      capability,
      {},
      {
        clock,
        signal: stop.signal,
        onEvent: ({ type }) => type === 'progress' && stop.abort(),
      },
    );
    expect(run.events.map(({ type }) => type)).toEqual(['accepted', 'progress', 'cancelled']);
  });

  test('ends after the grace when the handler ignores its signal', async () => {
    const clock = createVirtualClock();
    const deaf = defineCapability({
      ...words,
      id: 'deaf',
      input: z.object({}),
      execute: () => new Promise(() => undefined),
    });
    const stop = new AbortController();
    const running = runCapability(deaf, {}, { clock, signal: stop.signal, cancelGraceMs: 500 });
    await clock.settle();
    stop.abort();
    await clock.advance(499);
    expect(clock.pending()).toBe(1);
    await clock.advance(1);
    expect(await running).toMatchObject({ outcome: 'cancelled', durationMs: 500 });
  });
});

test('what a run leaves as files is recorded', async () => {
  const leaving = defineCapability({
    ...words,
    id: 'leaving',
    input: z.object({}),
    async execute(_input, ctx) {
      await ctx.artifact('report.txt', 'all is well');
      await ctx.artifact('data.bin', Buffer.from([1, 2]), { contentType: 'application/x-data' });
      await ctx.artifact('missing', { path: '/no/such/file' });
    },
  });
  const { outcome, error, artifacts } = await runCapability(leaving, {}, { jobId: 'j' });
  expect(outcome).toBe('failed');
  expect(error?.message).toContain('the artifact missing could not be read: ENOENT');
  expect(artifacts).toMatchObject([
    { name: 'report.txt', jobId: 'j', bytes: 11, contentType: 'text/plain; charset=utf-8' },
    { name: 'data.bin', bytes: 2, contentType: 'application/x-data', content: Buffer.from([1, 2]) },
  ]);
});
