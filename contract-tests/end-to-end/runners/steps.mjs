// A runner whose capabilities tell the test, over IPC, what they do.
import { CapabilityError, createRunner, defineCapability } from '@controlplane/runner-sdk';
import { z } from 'zod';

const input = z.object({
  ms: z.number().default(0),
  code: z.string().default('NOPE'),
  times: z.number().default(1),
});
const tell = (message) => process.send?.({ pid: process.pid, ...message });
const seen = new Map();

function wait(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

const define = (id, effects, execute) =>
  defineCapability({ id, version: '1.0.0', description: id, input, effects, maxConcurrency: 50, execute });

const capabilities = [
  define('steps.run', 'idempotent', async ({ ms }, ctx) => {
    tell({ ran: ctx.jobId, attempt: ctx.attempt });
    if (ms > 0) await wait(ms, ctx.signal);
    return { jobId: ctx.jobId };
  }),
  define('steps.writes', 'writes', async ({ ms }, ctx) => {
    tell({ ran: ctx.jobId, attempt: ctx.attempt });
    await wait(ms, ctx.signal);
    return {};
  }),
  define('steps.fails', 'none', async ({ code }) => {
    throw new CapabilityError(code, 'as asked', { retryable: false });
  }),
  define('steps.recovers', 'none', async ({ times }, ctx) => {
    const attempts = (seen.get(ctx.jobId) ?? 0) + 1;
    seen.set(ctx.jobId, attempts);
    if (attempts <= times) throw new Error(`attempt ${attempts} fails`);
    return { attempts };
  }),
  define('steps.tells', 'none', async (_input, ctx) => {
    ctx.log.info('first', { n: 1 });
    await ctx.progress(0.5, 'half');
    ctx.log.warn('second');
    return { told: true };
  }),
];

const runner = createRunner({
  name: process.env.RUNNER_NAME ?? 'steps',
  version: '1.0.0',
  capabilities,
  port: Number(process.env.PORT ?? 0),
  maxConcurrency: 50,
  logger: false,
});
await runner.start();
await runner.ready();
tell({ ready: runner.url });
