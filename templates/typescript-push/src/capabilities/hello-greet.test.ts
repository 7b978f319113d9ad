import { createJobForge } from '@controlplane/jobforge';
import { createRunner } from '@controlplane/runner-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { helloGreet } from './hello-greet.js';

// The real line: a JobForge in memory and the runner, both on free ports.
const forge = createJobForge({ store: 'memory', port: 0 });
let runner: ReturnType<typeof createRunner>;

beforeAll(async () => {
  await forge.start();
  runner = createRunner({
    name: 'under-test',
    version: '0.0.0',
    capabilities: [helloGreet],
    controlPlaneUrl: forge.url,
    port: 0,
    handleSignals: false,
    logger: false,
  });
  await runner.start();
  await runner.ready();
});

afterAll(async () => {
  await runner.stop();
  await forge.stop();
});

describe('hello.greet', () => {
  it('greets by name', async () => {
    const job = await forge.submit({ capability: 'hello.greet', input: { name: 'Ada' } });
    expect(await job.result()).toMatchObject({ data: { message: 'Hello, Ada' } });
  });

  it('refuses an input without a name before it is queued', async () => {
    await expect(forge.submit({ capability: 'hello.greet', input: { nam: 'Ada' } })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
    });
  });
});
