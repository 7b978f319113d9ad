import { setTimeout } from 'node:timers/promises';
import {
  CapabilityError,
  defineCapability,
  type Capability,
  type CapabilityContext,
} from '@controlplane/runner-sdk';
import { z } from 'zod';

/** What the handlers have done, and what they wait for. */
export interface Acts {
  /** Job ids in the order in which handlers began. */
  readonly began: string[];
  /** The most handlers that ran at once. */
  peak: number;
  running: number;
  /** Resolves when a handler has begun for the job, for the nth time. */
  beginning(jobId: string, times?: number): Promise<void>;
  /** Lets the waiting handlers of the job go on. */
  release(jobId: string): void;
  /** Why a handler was told to stop, by job. */
  readonly stopped: Map<string, { kind: string; atMs: number }>;
  begin(jobId: string): void;
  end(): void;
  released(jobId: string, signal?: AbortSignal): Promise<void>;
}

/** Makes a fresh record. */
export function createActs(): Acts {
  const began: string[] = [];
  const waiting = new Set<() => void>();
  const gates = new Map<string, Array<() => void>>();
  const open = new Set<string>();
  const acts: Acts = {
    began,
    peak: 0,
    running: 0,
    stopped: new Map(),
    begin(jobId) {
      began.push(jobId);
      acts.running += 1;
      acts.peak = Math.max(acts.peak, acts.running);
      for (const look of waiting) look();
    },
    end() {
      acts.running -= 1;
    },
    beginning: (jobId, times = 1) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (began.filter((id) => id === jobId).length < times) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    release(jobId) {
      open.add(jobId);
      for (const go of gates.get(jobId) ?? []) go();
    },
    released: (jobId, signal) =>
      new Promise((resolve, reject) => {
        if (open.has(jobId)) return resolve();
        gates.set(jobId, [...(gates.get(jobId) ?? []), resolve]);
        signal?.addEventListener(
          'abort',
          () => {
            const { kind } = signal.reason as { kind: string };
            acts.stopped.set(jobId, { kind, atMs: performance.now() });
            reject(signal.reason as Error);
          },
          { once: true },
        );
      }),
  };
  return acts;
}

const anything = z.looseObject({});
const base = { version: '1.0.0', description: 'for the deliveries suite' };

/** The capability file that every delivery runs. */
export function createCapabilities(acts: Acts): Capability[] {
  const counted: Counted = (run) => async (input, ctx) => {
    acts.begin(ctx.jobId);
    try {
      return await run(input, ctx);
    } finally {
      acts.end();
    }
  };
  return [
    ...answeringCapabilities(counted),
    ...parsingCapabilities(counted),
    ...failingCapabilities(counted),
    ...waitingCapabilities(acts, counted),
    ...talkingCapabilities(counted),
  ] as Capability[];
}

function answeringCapabilities(counted: Counted) {
  const echo = counted(async (input: Record<string, unknown>) => {
    const { workMs } = input;
    if (typeof workMs === 'number') await setTimeout(workMs);
    return input;
  });
  return [
    defineCapability({ ...base, id: 'stage.echo', input: anything, execute: echo }),
    defineCapability({
      ...base,
      id: 'stage.echo-writes',
      input: anything,
      effects: 'writes',
      execute: echo,
    }),
    defineCapability({
      ...base,
      id: 'stage.sync',
      input: anything,
      execute: () => ({ answered: 'at once' }),
    }),
    defineCapability({ ...base, id: 'stage.nothing', input: anything, execute: () => undefined }),
    defineCapability({ ...base, id: 'stage.circular', input: anything, execute: () => circular() }),
    defineCapability({
      ...base,
      id: 'stage.large',
      input: z.object({ bytes: z.number() }),
      execute: ({ bytes }) => 'x'.repeat(bytes),
    }),
  ];
}

function parsingCapabilities(counted: Counted) {
  return [
    defineCapability({
      ...base,
      id: 'stage.parsed',
      input: z.object({
        text: z.string().refine((text) => text !== 'refused', 'is refused'),
        times: z.number().default(2),
      }),
      output: z.object({ text: z.string() }),
      execute: counted(async ({ text, times }: { text: string; times: number }) => ({
        text: text.repeat(times),
      })),
    }),
    defineCapability({
      ...base,
      id: 'stage.async-schema',
      input: z.object({ text: z.string().refine(async (text) => text !== 'refused', 'is refused') }),
      execute: ({ text }) => text,
    }),
    defineCapability({
      ...base,
      id: 'stage.bad-output',
      input: anything,
      output: z.object({ count: z.number() }),
      execute: () => ({ count: 'many' as unknown as number }),
    }),
  ];
}

function failingCapabilities(counted: Counted) {
  return [
    defineCapability({
      ...base,
      id: 'stage.fail',
      input: z.looseObject({ how: z.string() }),
      execute: counted(async ({ how }: { how: string }) => fail(how)),
    }),
    defineCapability({
      ...base,
      id: 'stage.flaky',
      input: z.object({ failures: z.number() }),
      execute: counted(async ({ failures }: { failures: number }, ctx) => {
        if (ctx.attempt <= failures) throw new Error(`attempt ${ctx.attempt} failed`);
        return { attempt: ctx.attempt };
      }),
    }),
  ];
}

/** Wraps a handler so that its runs are counted. */
type Counted = <Input, Result>(
  run: (input: Input, ctx: CapabilityContext) => Promise<Result>,
) => (input: Input, ctx: CapabilityContext) => Promise<Result>;

function waitingCapabilities(acts: Acts, counted: Counted) {
  const wait = counted(async (_: object, ctx) => {
    await acts.released(ctx.jobId, ctx.signal);
    return { released: true };
  });
  return [
    defineCapability({ ...base, id: 'stage.wait', input: anything, timeoutMs: 60_000, execute: wait }),
    defineCapability({
      ...base,
      id: 'stage.single',
      input: anything,
      timeoutMs: 60_000,
      maxConcurrency: 1,
      execute: wait,
    }),
    defineCapability({
      ...base,
      id: 'stage.writes',
      input: anything,
      timeoutMs: 60_000,
      effects: 'writes',
      execute: wait,
    }),
    defineCapability({
      ...base,
      id: 'stage.ignores',
      input: anything,
      timeoutMs: 60_000,
      execute: counted(async (_: object, ctx) => {
        ctx.signal.addEventListener('abort', () => {
          acts.stopped.set(ctx.jobId, {
            kind: (ctx.signal.reason as { kind: string }).kind,
            atMs: performance.now(),
          });
        });
        await acts.released(ctx.jobId);
        return { late: true };
      }),
    }),
    defineCapability({
      ...base,
      id: 'stage.swallows',
      input: anything,
      timeoutMs: 60_000,
      execute: counted(async (_: object, ctx) => {
        await acts.released(ctx.jobId, ctx.signal).catch(() => undefined);
        return { swallowed: true };
      }),
    }),
  ];
}

function talkingCapabilities(counted: Counted) {
  return [
    defineCapability({
      ...base,
      id: 'stage.talk',
      input: z.looseObject({ lines: z.number().default(3), text: z.string().default('line') }),
      execute: counted(async ({ lines, text }: { lines: number; text: string }, ctx) => {
        for (let line = 0; line < lines; line += 1) ctx.log.info(`${text} ${line}`, { line });
        return { lines };
      }),
    }),
    defineCapability({
      ...base,
      id: 'stage.levels',
      input: anything,
      execute: counted(async (_: object, ctx) => {
        ctx.log.info('informs', { password: 'open sesame', user: 'ada' });
        ctx.log.warn('warns');
        ctx.log.error('errs');
        return null;
      }),
    }),
    defineCapability({
      ...base,
      id: 'stage.progress',
      input: anything,
      execute: counted(async (_: object, ctx) => {
        await ctx.progress(0.25, 'a quarter');
        await ctx.progress(0.75, 'most of it');
        return null;
      }),
    }),
    defineCapability({
      ...base,
      id: 'stage.context',
      input: anything,
      execute: (_, { jobId, executionId, attempt, metadata }) => ({ jobId, executionId, attempt, metadata }),
    }),
  ];
}

function circular(): unknown {
  const value: Record<string, unknown> = {};
  value['self'] = value;
  return value;
}

function fail(how: string): never {
  if (how === 'permanent')
    throw new CapabilityError('NO_SUCH_THING', 'there is no such thing', { retryable: false });
  if (how === 'cause') throw new Error('outer', { cause: new TypeError('inner') });
  // A reason that is no error: whatever a handler throws must become an envelope.
  if (how === 'text') AbortSignal.abort('only text').throwIfAborted();
  throw new Error('it broke');
}
