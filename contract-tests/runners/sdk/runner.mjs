/** A runner on the SDK that offers the kit's fixture capabilities. Everything else comes from the environment. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CapabilityError, createRunner, defineCapability } from '@controlplane/runner-sdk';
import { z } from 'zod';

const fixture = (definition) =>
  defineCapability({
    version: '1.0.0',
    description: `Fixture ${definition.id}`,
    effects: 'none',
    maxConcurrency: 8,
    ...definition,
  });

const count = z.int().min(0);

const capabilities = [
  fixture({
    id: 'conformance.echo',
    input: z.object({ text: z.string() }),
    output: z.object({ text: z.string() }),
    execute: async ({ text }) => ({ text }),
  }),
  fixture({
    id: 'conformance.sleep',
    input: z.object({ ms: count.max(60_000) }),
    output: z.object({ sleptMs: count }),
    async execute({ ms }, ctx) {
      await sleep(ms, undefined, { signal: ctx.signal });
      return { sleptMs: ms };
    },
  }),
  fixture({
    id: 'conformance.fail',
    input: z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }),
    output: z.object({}),
    async execute({ code, message, retryable }) {
      throw new CapabilityError(code, message, { retryable });
    },
  }),
  fixture({
    id: 'conformance.progress',
    input: z.object({ steps: count.max(100) }),
    output: z.object({ steps: count }),
    async execute({ steps }, ctx) {
      for (let step = 1; step <= steps; step += 1) await ctx.progress(step / steps);
      return { steps };
    },
  }),
  fixture({
    id: 'conformance.logs',
    input: z.object({ lines: count.max(1_000) }),
    output: z.object({ lines: count }),
    async execute({ lines }, ctx) {
      for (let line = 0; line < lines; line += 1) ctx.log.info(`line ${line}`);
      return { lines };
    },
  }),
];

await createRunner({ name: 'sdk-runner', version: '1.0.0', maxConcurrency: 8, capabilities }).start();
