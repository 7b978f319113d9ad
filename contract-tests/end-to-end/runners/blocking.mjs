// A runner with a capability that blocks the event loop of its process, and one that does not.
import { createRunner, defineCapability } from '@controlplane/runner-sdk';
import { z } from 'zod';

const tell = (message) => process.send?.(message);
const cell = new Int32Array(new SharedArrayBuffer(4));

const block = defineCapability({
  id: 'block',
  version: '1.0.0',
  description: 'Answers nothing for a while.',
  input: z.object({ ms: z.number() }),
  effects: 'writes',
  timeoutMs: 300_000,
  execute({ ms }, ctx) {
    tell({ ran: ctx.jobId, attempt: ctx.attempt });
    Atomics.wait(cell, 0, 0, ms);
    return { blockedMs: ms };
  },
});

const quick = defineCapability({
  id: 'quick',
  version: '1.0.0',
  description: 'Answers at once.',
  input: z.object({}),
  execute: () => ({ at: Date.now() }),
});

const runner = createRunner({
  name: 'blocking',
  version: '1.0.0',
  capabilities: [block, quick],
  port: 0,
  maxConcurrency: 5,
  logger: false,
  ...(process.env.DELIVERY ? { delivery: process.env.DELIVERY } : {}),
  ...(process.env.WATCHDOG === 'off' ? { watchdog: false } : {}),
});
await runner.start();
await runner.ready();
tell({ ready: true, runnerId: runner.runnerId });
