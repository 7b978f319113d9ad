import { afterEach, describe, expect, it } from 'vitest';
import { createJobForge, type JobForge } from './index.js';
import { startStubRunner, type StubOptions, type StubRunner } from './testing/stub-runner.js';

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function forgeWith(options: StubOptions): Promise<{ forge: JobForge; runner: StubRunner }> {
  const forge = await createJobForge({ store: 'memory', listen: false }).start();
  opened.push(async () => void (await forge.stop({ drainMs: 0 })));
  const runner = await startStubRunner(options);
  opened.push(() => runner.close());
  await forge.operations.registerRunner(runner.registration());
  return { forge, runner };
}

describe.each(['json', 'ndjson', 'batch'] as const)('a job over the %s form', (form) => {
  it('completes with what the runner answered', async () => {
    const { forge } = await forgeWith({
      form,
      handle(execution) {
        execution.accept();
        execution.succeed({ text: 'hello' });
      },
    });
    const job = await forge.submit({ capability: 'echo', input: { text: 'hello' } });
    expect(await job.result()).toMatchObject({
      success: true,
      data: { text: 'hello' },
      metadata: { attempts: 1 },
    });
    expect(await job.show()).toMatchObject({
      status: 'completed',
      request: { payload: { data: { text: 'hello' } } },
    });
  });
});

it('says while it stops what has not ended, and what was handed back', async () => {
  const { forge, runner } = await forgeWith({ form: 'batch', handle: (execution) => execution.accept() });
  await forge.submit({ capability: 'echo', input: { text: 'hi' } });
  await runner.execution(0);
  expect(forge.running).toBe(1);
  expect(await forge.stop({ drainMs: 0 })).toEqual({ handedBack: 1 });
});
