import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { followJob, jobEvents, post, showJob } from '../end-to-end/client.js';
import { endProcesses, startJobForge } from '../end-to-end/processes.js';
import { packAll } from '../scaffold/packed-packages.js';
import { imageContext } from './image-context.js';
import { importNodeImage } from './node-image.js';
import { missingEngine, openPodman, type Podman } from './podman.js';

const why = await missingEngine();
if (why !== undefined) console.warn(`SKIPPED: the image of docs/deploy/daemon is not built here: ${why}.`);

/** What the daemon is made of. */
const PACKAGES = ['contracts', 'runner-sdk', 'capabilities', 'runner'];
// Goes on for longer than a runner needs to be told to stop, and for less than it may drain.
const SLOW = `node -e "console.log('on'); setTimeout(() => console.log('off'), 4000)"`;

describe.skipIf(why !== undefined)('the image of docs/deploy/daemon', () => {
  let podman: Podman;
  let folder = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'daemon-'));
    podman = openPodman();
    const packed = join(folder, 'packed');
    mkdirSync(packed);
    const context = imageContext('daemon', folder, await packAll(packed, PACKAGES));
    await importNodeImage(podman);
    await podman.call('build', '--format', 'docker', '--network', 'host', '--tag', 'daemon', context);
  }, 600_000);
  afterEach(endProcesses);
  afterAll(async () => {
    await podman?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Starts it with arguments in place of its own; it dials out, and so needs no port. */
  const start = (name: string, url: string, args: readonly string[] = []): Promise<string> =>
    podman.call(
      ...['run', '--detach', '--network', 'host', '--name', name],
      ...['CONTROLPLANE_RUNNER_HOSTS=jobforge', `JOBFORGE_URL=${url}`].flatMap((pair) => ['--env', pair]),
      ...['daemon', ...args],
    );

  /** Submits a job; it waits for the runner to register. */
  async function submit(url: string, type: string, data: object): Promise<string> {
    const answer = await post(`${url}/jobs`, { type, payload: { type, data }, timeoutMs: 120_000 });
    const text = await answer.text();
    expect(answer.ok, text).toBe(true);
    return (JSON.parse(text) as { readonly id: string }).id;
  }

  it('registers, runs a command without root, and finishes what it runs when it is stopped', async () => {
    const { url } = await startJobForge();
    await start('full', url, ['run', '--shell', 'full']);
    const first = await submit(url, 'shell.full', { command: 'cat /proc/self/status; cat /proc/1/cmdline' });
    await followJob(url, first);
    const { status, result } = await showJob(url, first);
    expect(status, await podman.call('logs', 'full')).toBe('completed');
    const stdout = String((result?.data as { readonly stdout?: string } | undefined)?.stdout);
    expect(stdout).toMatch(/^Uid:\s+1000\s/m);
    // The process of the container is the daemon itself, which gets the signal.
    expect(stdout).toContain('node_modules/@controlplane/runner/bin/controlplane-runner.js');

    const last = await submit(url, 'shell.full', { command: SLOW });
    for await (const { type } of jobEvents(url, last)) if (type === 'job.log') break;
    await podman.call('stop', '--time', '40', 'full');
    expect(await podman.call('inspect', '--format', '{{.State.ExitCode}}', 'full')).toBe('0');
    expect(await showJob(url, last)).toMatchObject({
      status: 'completed',
      result: { data: { stdout: 'on\noff\n' } },
    });
  }, 240_000);

  it('only looks, where nothing else is said', async () => {
    const { url } = await startJobForge();
    await start('as-it-is', url);
    // A folder that nobody named is refused: the job has been with the runner when it has ended.
    const refused = await submit(url, 'shell.readonly', { argv: ['cat', '/etc/passwd'] });
    await followJob(url, refused);
    expect(await showJob(url, refused)).toMatchObject({ error: { code: 'PATH_NOT_ALLOWED' } });
    const capabilities = await (await fetch(`${url}/capabilities`)).text();
    expect(capabilities).toContain('"shell.readonly"');
    expect(capabilities).not.toContain('"shell.full"');
  }, 180_000);
});
