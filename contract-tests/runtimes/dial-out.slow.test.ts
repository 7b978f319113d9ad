import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { createJobForge, type JobForge } from '@controlplane/jobforge';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

// The deliveries by which a runner dials out, on the runtimes that are not Node, against the real JobForge.

const program = fileURLToPath(new URL('dial-out.mjs', import.meta.url));
const NPX = ['--yes', '--prefer-offline'];
const RUNTIMES = { bun: ['bun'], deno: ['deno', 'run', '-A', '--node-modules-dir=manual'] };

let forge: JobForge;
beforeAll(async () => {
  forge = await createJobForge({ store: 'memory', listen: { port: 0 } }).start();
});
afterAll(() => forge.stop({ drainMs: 0 }));

/** False where its package cannot be had, which CI does not accept. */
async function canBeHad(runtime: string): Promise<boolean> {
  const child = spawn('npx', [...NPX, runtime, '--version'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  if (code === 0) return true;
  if (process.env['CI']) throw new Error(`${runtime} cannot be had: ${errors}`);
  process.stderr.write(`SKIPPED: ${runtime} cannot be had, the SDK is NOT tried on it\n`);
  return false;
}

describe.each(Object.entries(RUNTIMES))('%s', (runtime, command) => {
  test.for(['websocket', 'long-poll'])('runs a job by %s', async (delivery, { skip }) => {
    if (!(await canBeHad(runtime))) skip(`${runtime} cannot be had`);
    const env = { ...process.env, JOBFORGE_URL: forge.url, DELIVERY: delivery };
    // A group of its own, because npx starts the runtime as a child.
    const child = spawn('npx', [...NPX, ...command, program], { env, stdio: 'ignore', detached: true });
    onTestFinished(async () => {
      const gone = once(child, 'exit');
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      await gone;
    });
    const job = await forge.submit({ capability: 'greet', input: { name: 'Ada' } });
    expect(await job.result()).toMatchObject({ success: true, data: { message: 'Hello, Ada' } });
  });
});
