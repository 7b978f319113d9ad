import { afterEach, describe, expect, it } from 'vitest';
import type { JobForge } from '../control-plane.js';
import type { JobForgeOptions } from '../options.js';
import { dial, eventsOf, type DialInRunner } from '../testing/dial-in-runner.js';
import { openForges } from '../testing/open-forge.js';
import { ECHO } from '../testing/stub-runner.js';

const test = openForges();
const dialled: DialInRunner[] = [];
afterEach(async () => {
  for (const runner of dialled.splice(0)) runner.cut();
  await test.close();
});

const echo = { capability: 'echo', input: { text: 'hi' } };
const WRITES = [{ ...ECHO, effects: 'writes' }];

async function open(options: JobForgeOptions = {}): Promise<JobForge & { url: string }> {
  const forge = await test.forge({ listen: { port: 0 }, ...options });
  return { ...forge, url: forge.url ?? '' };
}

async function connect(url: string, overrides: Record<string, unknown> = {}): Promise<DialInRunner> {
  const runner = await dial(url);
  dialled.push(runner);
  await runner.register(overrides);
  return runner;
}

describe('a runner over a socket', () => {
  it('is told the cadence, offered a job, and its result is acknowledged', async () => {
    const forge = await open();
    const runner = await dial(forge.url);
    dialled.push(runner);
    expect(await runner.register()).toMatchObject({ heartbeatIntervalMs: 10_000, leaseMs: 20_000 });
    const job = await forge.submit(echo);
    const offered = await runner.offer();
    expect(offered).toMatchObject({ jobId: job.id, payload: { text: 'hi' }, attempt: 1 });
    expect(await runner.accept(offered)).toBeUndefined();
    runner.succeed(offered);
    expect((await runner.next('acknowledged')).executions).toEqual([
      { executionId: offered.executionId, seq: 1 },
    ]);
    expect(await job.result()).toMatchObject({ success: true, data: { echoed: { text: 'hi' } } });
  });
});
