import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineCapability } from '../capability/define-capability.js';
import { describeCapability } from '../capability/capability-manifest.js';
import { RunnerError } from '../errors/runner-error.js';
import { runCapability } from '../testing/run-capability.js';

const KEY = 'hunter2-hunter2';

const caller = defineCapability({
  id: 'caller',
  version: '1.0.0',
  description: 'Uses a key.',
  input: z.object({ fail: z.boolean().default(false) }),
  secrets: ['API_KEY'],
  async execute({ fail }, ctx) {
    const { API_KEY } = ctx.secrets;
    ctx.log.info(`calling with ${API_KEY}`, { url: `https://x/?k=${API_KEY}` });
    await ctx.progress(0.5, `sent ${API_KEY}`);
    if (fail) throw new Error(`${API_KEY} was refused`);
    return { length: API_KEY.length, names: Object.keys(ctx.secrets) };
  },
});

describe('secrets of an execution', () => {
  test('are what the capability names, and nothing else that was sent', async () => {
    const run = await runCapability(caller, {}, { secrets: { API_KEY: KEY, OTHER: 'x' } });
    expect(run).toMatchObject({ outcome: 'succeeded', data: { length: KEY.length, names: ['API_KEY'] } });
  });

  test('are hidden in logs, progress and errors', async () => {
    const run = await runCapability(caller, { fail: true }, { secrets: { API_KEY: KEY } });
    expect(run.outcome).toBe('failed');
    expect(run.logs[0]).toMatchObject({ message: 'calling with [redacted]' });
    expect(run.error?.message).toBe('[redacted] was refused');
    expect(JSON.stringify(run.events)).not.toContain(KEY);
  });

  test('that are missing keep the handler from running, and are named', async () => {
    const run = await runCapability(caller, {}, { secrets: { OTHER: 'x' } });
    expect(run.error).toMatchObject({ code: 'SECRET_MISSING', retryable: false });
    expect(run.error?.message).toContain('API_KEY');
    expect(run.logs).toEqual([]);
  });

  test('are named in the manifest where there are any', () => {
    expect(describeCapability(caller, 1).secrets).toEqual(['API_KEY']);
    const { secrets: _, ...plain } = caller;
    expect(describeCapability({ ...plain, secrets: [] }, 1)).not.toHaveProperty('secrets');
  });

  test('with a name that cannot be one are refused at their definition', () => {
    const define = (): unknown =>
      defineCapability({ ...caller, output: undefined, secrets: ['NO-DASH'] } as never);
    expect(define).toThrow(RunnerError);
    expect(define).toThrow('secrets');
  });
});
