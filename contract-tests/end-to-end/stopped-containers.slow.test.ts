import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createJobForge, type JobForge } from '@controlplane/jobforge';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { importBusyboxImage } from '../deploy/busybox-image.js';
import { missingEngine, openPodman, type Podman } from '../deploy/podman.js';
import { endProcesses, startRunner } from './processes.js';

// A runner as a process of its own that is stopped while its containers run: what becomes of them, and of the commands
// that watch over them.

const why = await missingEngine();
if (why !== undefined) console.warn(`SKIPPED: no runner of containers is stopped here: ${why}.`);

const IMAGE = 'localhost/controlplane-stopped:1';
/** One that ends when it is told to, and one that does not. */
const COMMANDS = ['echo up; exec sleep 600', "trap '' TERM; echo up; while :; do sleep 600; done"];
const PATIENCE = { timeout: 60_000, interval: 200 };

/** Programs of this machine that name one of these containers in their arguments: its client, and who watches over it. */
const namedIn = (names: readonly string[]): string[] =>
  readdirSync('/proc').flatMap((name) => {
    try {
      const args = /^\d+$/.test(name) ? readFileSync(`/proc/${name}/cmdline`, 'utf8') : '';
      return names.some((container) => args.includes(container)) ? [args.replaceAll('\0', ' ')] : [];
    } catch {
      return [];
    }
  });

describe.skipIf(why !== undefined)('the containers of a runner', () => {
  let podman: Podman;
  let forge: JobForge;
  let folder = '';
  beforeAll(async () => {
    podman = openPodman();
    await importBusyboxImage(podman, IMAGE);
  }, 120_000);
  afterEach(endProcesses);
  afterAll(() => podman?.close());

  async function open(): Promise<JobForge> {
    const opened = await createJobForge({ store: 'memory', listen: { port: 0 } }).start();
    onTestFinished(async () => {
      await opened.stop({ drainMs: 0 });
    });
    return opened;
  }

  const start = ({ url = '' }: JobForge) =>
    startRunner('containers.mjs', {
      ...podman.variables,
      FOLDER: folder,
      JOBFORGE_URL: url,
      RUNNER_DRAIN_MS: '500',
    });

  const names = async (): Promise<string[]> =>
    (await podman.call('ps', '--all', '--format', '{{.Names}}')).split('\n').filter((name) => name !== '');

  /** A runner, both containers of which run. */
  async function running() {
    folder = mkdtempSync(join(tmpdir(), 'stopped-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    forge = await open();
    const runner = await start(forge);
    const jobs = await Promise.all(
      COMMANDS.map((line) =>
        forge.submit({
          capability: 'container.run',
          input: { image: IMAGE, pull: 'never', command: ['sh', '-c', line] },
        }),
      ),
    );
    for (const job of jobs) for await (const { type } of job.events()) if (type === 'job.log') break;
    const containers = await names();
    expect(containers).toHaveLength(COMMANDS.length);
    // Each has a client that reads what it prints.
    expect(namedIn(containers).filter((args) => args.includes('start --attach'))).toHaveLength(
      COMMANDS.length,
    );
    return { runner, containers };
  }

  /** No container is left, no client, and none of their files. */
  async function nothingLeft(containers: readonly string[]): Promise<void> {
    await expect.poll(names, PATIENCE).toEqual([]);
    await expect.poll(() => namedIn(containers), PATIENCE).toEqual([]);
    expect(readdirSync(join(folder, 'files'))).toEqual([]);
  }

  it('end with it at SIGTERM, and so do their clients, whether they listen to SIGTERM or not', async () => {
    const { runner, containers } = await running();
    runner.kill('SIGTERM');
    const [code] = await once(runner, 'exit');
    expect(code).toBe(0);
    // Not later: nobody is there any more who would.
    expect(await names()).toEqual([]);
    await nothingLeft(containers);
  }, 240_000);

  it('end with it at a second signal, which leaves no time for anything', async () => {
    const { runner, containers } = await running();
    runner.kill('SIGTERM');
    runner.kill('SIGINT');
    const [code] = await once(runner, 'exit');
    expect(code).toBe(1);
    await nothingLeft(containers);
  }, 240_000);

  it('are gone, and so are their clients, once a runner that was killed is started again', async () => {
    const { runner, containers } = await running();
    runner.kill('SIGKILL');
    await once(runner, 'exit');
    expect(await names()).toEqual(expect.arrayContaining(containers));
    // At another JobForge, which has no jobs: nothing is begun anew.
    await start(await open());
    await nothingLeft(containers);
  }, 240_000);
});
