import { createHash } from 'node:crypto';
import { defineCapability, type Runner, type RunnerOptions } from '@controlplane/runner-sdk';
import { quarterback, type QuarterbackOptions } from '@controlplane/runner-sdk/quarterback';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { HASTE } from '../hosts/quarterback/served.js';
import { startRunner, temporaryFolder } from '../hosts/served-runner.js';
import { openForge, type Opened } from './opened.js';

// A Quarterback runner that registers with JobForge instead of its orchestrator: nothing of it is changed but where it
// asks for work and what it registers with.

const Work = z.object({
  prompt: z.string(),
  files: z.array(z.object({ name: z.string(), content: z.string() })),
});

/** What stands for the image of such a runner: it does what its prompt says. */
const tasks = defineCapability({
  id: 'task.run',
  version: '1.0.0',
  description: 'Does what a prompt says.',
  input: Work,
  output: z.object({ message: z.string() }),
  async execute({ prompt, files }, ctx) {
    ctx.log.info(`on ${prompt}`);
    if (prompt === 'fail') throw new Error('no such thing');
    if (prompt === 'wait')
      await new Promise((_resolve, reject) => {
        ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error));
      });
    const sums = files.map(({ name, content }) => {
      const sum = createHash('sha256').update(Buffer.from(content, 'base64')).digest('hex');
      return `${name} ${sum.slice(0, 8)}`;
    });
    ctx.log.info(sums.join(', '));
    return { message: prompt };
  },
});

async function serve(
  { url }: Opened,
  registrationToken: string,
  { at = {}, ...options }: Partial<RunnerOptions> & { readonly at?: QuarterbackOptions } = {},
): Promise<Runner> {
  const given = { url: `${url}/quarterback`, capability: 'task.run', registrationToken };
  const payload: QuarterbackOptions['payload'] = ({ prompt, files }) => ({ prompt, files });
  const runner = await startRunner({
    name: 'victoria',
    stateDirectory: temporaryFolder(),
    capabilities: [tasks],
    hosts: [quarterback({ ...HASTE, ...given, payload, ...at })],
    ...options,
  });
  await runner.ready();
  return runner;
}

const task = (prompt: string, more: object = {}) => ({
  capability: 'quarterback.task',
  input: { prompt, ...more },
  retryPolicy: { maxRetries: 0 },
});

describe('a runner that registers with a token of JobForge', () => {
  test('is given tasks, fetches their files, and tells how each ended', async () => {
    const opened = await openForge(['quarterback']);
    const { forge } = opened;
    await serve(opened, await opened.token());
    const [runner] = await forge.operations.listRunners();
    expect(runner).toMatchObject({ name: 'victoria', tags: ['quarterback'], maxConcurrency: 1 });
    const files = [{ name: 'a b.txt', content: 'é' }];
    const good = await forge.submit(task('look', { files }));
    expect(await good.result()).toMatchObject({ success: true, data: { message: expect.any(String) } });
    const bad = await forge.submit(task('fail'));
    expect(await bad.result()).toMatchObject({
      success: false,
      error: { message: expect.stringContaining('no such thing') },
    });
    const said: unknown[] = [];
    for await (const { type, data } of good.events()) if (type === 'job.log') said.push(data?.['message']);
    expect(said.join('\n')).toMatch(/on look[^]*a b\.txt 4a99557e/);
  });

  test('is told of a cancel by the answer to its next report', async () => {
    const opened = await openForge(['quarterback']);
    await serve(opened, await opened.token());
    const job = await opened.forge.submit(task('wait'));
    await expect.poll(async () => (await job.show()).status, { timeout: 20_000 }).toBe('running');
    await job.cancel();
    await job.result();
    expect((await job.show()).status).toBe('cancelled');
    const next = await opened.forge.submit(task('next'));
    expect(await next.result()).toMatchObject({ success: true });
  });

  test('keeps its key over a restart', async () => {
    const opened = await openForge(['quarterback']);
    const stateDirectory = temporaryFolder();
    const first = await serve(opened, await opened.token(), { stateDirectory });
    await first.stop();
    const second = await serve(opened, 'used-up', { stateDirectory });
    expect(second.runnerId).toBe(first.runnerId);
    const job = await opened.forge.submit(task('back'));
    expect(await job.result()).toMatchObject({ success: true });
    expect(await opened.forge.operations.listRunners()).toHaveLength(1);
  });
});
