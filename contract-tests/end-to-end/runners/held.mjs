// A runner whose handlers wait until the test lets them go, over IPC, or until they are told to stop.
import { createRunner, defineCapability } from '@controlplane/runner-sdk';
import { z } from 'zod';

const tell = (message) => process.send?.(message);
const waiting = new Map();

const held = defineCapability({
  id: 'held.run',
  version: '1.0.0',
  description: 'Ends when it is let go.',
  input: z.object({}),
  effects: 'idempotent',
  timeoutMs: 300_000,
  execute: (_input, { jobId, signal }) =>
    new Promise((resolve, reject) => {
      waiting.set(jobId, () => resolve({ jobId }));
      signal.addEventListener('abort', () => {
        tell({ stopped: jobId, kind: signal.reason.kind });
        reject(signal.reason);
      });
      tell({ began: jobId });
    }),
});

process.on('message', ({ release }) => {
  for (const jobId of release) waiting.get(jobId)?.();
});

const runner = createRunner({
  name: process.env.RUNNER_NAME,
  version: '1.0.0',
  capabilities: [held],
  delivery: process.env.DELIVERY,
  port: 0,
  maxConcurrency: 100,
  logger: false,
});
await runner.start();
await runner.ready();
tell({ ready: true });
