import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createJobForge, type JobForge } from '@controlplane/jobforge';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { endProcess, endProcesses, startRunner } from './processes.js';

/** Long enough for a runner to come back, short enough for a test. */
const LEASE_MS = 500;
let forge: JobForge;

beforeEach(async () => {
  forge = await createJobForge({
    store: 'memory',
    listen: { port: 0 },
    limits: { leaseMs: LEASE_MS },
  }).start();
});
afterEach(async () => {
  await endProcesses();
  await forge.stop({ drainMs: 0 });
});

async function start(name: string): Promise<ChildProcess> {
  return startRunner('steps.mjs', { JOBFORGE_URL: forge.url ?? '', RUNNER_NAME: name });
}

it.each([
  ['steps.run', 'idempotent', { success: true, metadata: { attempts: 2 } }],
  ['steps.writes', 'writes', { success: false, error: { code: 'RUNNER_LOST' }, metadata: { attempts: 1 } }],
])('a runner killed while it runs %s, whose effects are %s', async (capability, _effects, expected) => {
  const dying = await start('dying');
  const begun = once(dying, 'message');
  const retryPolicy = { maxRetries: 2, backoffMs: 10 };
  const job = await forge.submit({ capability, input: { ms: 200 }, retryPolicy });
  await begun;
  await endProcess(dying, 'SIGKILL');
  await start('heir');
  expect(await job.result()).toMatchObject(expected);
});
