import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createExecutor } from '../execution/executor.js';
import { createSlots } from '../execution/admission.js';
import { createCapabilityRegistry } from './capability-registry.js';
import { defineCapability } from './define-capability.js';
import { withMiddleware, type Middleware } from './middleware.js';

const note =
  (seen: string[], name: string): Middleware =>
  async (ctx, next) => {
    seen.push(`${name} ${ctx.capabilityId}`);
    try {
      return await next();
    } finally {
      seen.push(`${name} out`);
    }
  };

async function runOnce(use: readonly Middleware[], own: readonly Middleware[], execute: () => unknown) {
  const capability = defineCapability({
    id: 'talk',
    version: '1.0.0',
    description: 'For a test.',
    input: z.object({}),
    output: z.object({ count: z.number() }),
    use: own,
    execute: execute as () => { count: number },
  });
  const registry = createCapabilityRegistry([capability], use);
  const executor = createExecutor({ registry, slots: createSlots(1), service: 'fixture' });
  const request = {
    jobId: 'j',
    executionId: 'e',
    attempt: 1,
    moduleId: 'm',
    capabilityId: 'talk',
    payload: {},
    metadata: {},
  };
  const events = [];
  for await (const event of executor.execute(request)) events.push(event);
  return events.at(-1);
}

describe('middleware', () => {
  test("stands around the handler, the runner's outside the capability's, the first outermost", async () => {
    const seen: string[] = [];
    const last = await runOnce([note(seen, 'a'), note(seen, 'b')], [note(seen, 'c')], () => {
      seen.push('handler');
      return { count: 1 };
    });
    expect(seen).toEqual(['a talk', 'b talk', 'c talk', 'handler', 'c out', 'b out', 'a out']);
    expect(last).toMatchObject({ type: 'succeeded', data: { count: 1 } });
  });

  test('may replace the result, which is checked afterwards', async () => {
    const handler = () => ({ count: 1 });
    expect(await runOnce([async () => ({ count: 2 })], [], handler)).toMatchObject({ data: { count: 2 } });
    expect(await runOnce([() => 'no object'], [], handler)).toMatchObject({
      error: { code: 'OUTPUT_INVALID' },
    });
  });

  test('fails the execution by throwing, and sees what the handler throws', async () => {
    const seen: unknown[] = [];
    const watch: Middleware = (_ctx, next) =>
      next().catch((error: unknown) => {
        seen.push(error);
        throw error;
      });
    const refuse: Middleware = () => {
      throw new Error('not today');
    };
    const last = await runOnce([watch, refuse], [], () => ({ count: 1 }));
    expect(last).toMatchObject({ type: 'failed', error: { message: 'not today' } });
    expect(seen).toHaveLength(1);
  });

  test('costs nothing where there is none', () => {
    const handler = (): number => 1;
    expect(withMiddleware([], handler)).toBe(handler);
  });
});
