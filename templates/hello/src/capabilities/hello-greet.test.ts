import { runCapability } from '@controlplane/runner-sdk/testing';
import { expect, it } from 'vitest';
import { helloGreet } from './hello-greet.js';

// The capability alone: its schemas, its handler, its log; no server.
it('greets by name', async () => {
  const run = await runCapability(helloGreet, { name: 'Ada' });
  expect(run.outcome).toBe('succeeded');
  expect(run.data).toEqual({ message: 'Hello, Ada' });
  expect(run.logs).toContainEqual(expect.objectContaining({ message: 'greeting', fields: { name: 'Ada' } }));
});

it('refuses an empty name', async () => {
  const run = await runCapability(helloGreet, { name: '' });
  expect(run.error).toMatchObject({ code: 'VALIDATION_ERROR', retryable: false });
});
