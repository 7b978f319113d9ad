import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packAll } from '../scaffold/packed-packages.js';
import { imageContext } from './image-context.js';
import { importNodeImage } from './node-image.js';
import { missingEngine, openPodman, type Podman } from './podman.js';

const ADMIN = 'an-admin-token-of-this-test-0123456789';
const JOBFORGE = ['node', 'node_modules/@controlplane/jobforge/bin/jobforge.js'];

const why = await missingEngine();
if (why !== undefined) console.warn(`SKIPPED: the images of docs/deploy are not built here: ${why}.`);

describe.skipIf(why !== undefined)('the images of docs/deploy', () => {
  let podman: Podman;
  let folder = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'deploy-'));
    podman = openPodman();
    const packed = join(folder, 'packed');
    mkdirSync(packed);
    const tarballs = await packAll(packed, ['contracts', 'runner-sdk', 'jobforge']);
    await importNodeImage(podman);
    for (const name of ['jobforge', 'runner']) {
      const context = imageContext(name, folder, tarballs);
      await podman.call('build', '--format', 'docker', '--network', 'host', '--tag', name, context);
    }
    await podman.call('network', 'create', 'deploy');
  }, 600_000);
  afterAll(async () => {
    await podman?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Whether the image's own probe finds the container well. */
  const isHealthy = (name: string): Promise<boolean> =>
    podman.call('healthcheck', 'run', name).then(
      () => true,
      () => false,
    );
  const jobforge = (...args: string[]): Promise<string> =>
    podman.call('exec', '--env', `JOBFORGE_TOKEN=${ADMIN}`, 'jobforge', ...JOBFORGE, ...args);

  it('serve jobs to a runner that dials in, without root, and drain at SIGTERM', async () => {
    const detached = ['run', '--detach', '--network', 'deploy'];
    await podman.call(
      ...detached,
      '--name',
      'jobforge',
      '--env',
      `JOBFORGE_ADMIN_TOKEN=${ADMIN}`,
      'jobforge',
    );
    await expect.poll(() => isHealthy('jobforge'), { timeout: 60_000 }).toBe(true);
    const token = await jobforge('token', 'create', 'fleet', '--enrollment');
    const named = ['--name', 'runner', '--env', `RUNNER_TOKEN=${token}`];
    await podman.call(...detached, ...named, '--env', 'JOBFORGE_URL=http://jobforge:3002', 'runner');
    await expect.poll(() => isHealthy('runner'), { timeout: 60_000 }).toBe(true);
    const done = await jobforge('job', 'submit', 'greet', '{"name":"Ada"}', '--wait', '--json');
    expect(JSON.parse(done)).toMatchObject({ status: 'completed', result: { data: { text: 'Hello, Ada' } } });
    for (const name of ['runner', 'jobforge'])
      expect(await podman.call('exec', name, 'node', '-p', 'process.getuid()')).toBe('1000');
    for (const name of ['runner', 'jobforge']) {
      await podman.call('stop', '--time', '40', name);
      expect(await podman.call('inspect', '--format', '{{.State.ExitCode}}', name)).toBe('0');
    }
    expect(await podman.call('logs', 'jobforge')).toContain('stopped');
  }, 240_000);

  it('keep their jobs and their admin token in a volume', async () => {
    const volume = ['--volume', 'kept:/data', '--network', 'deploy'];
    await podman.call('run', '--detach', '--name', 'first', ...volume, 'jobforge');
    await expect.poll(() => isHealthy('first'), { timeout: 60_000 }).toBe(true);
    const asOperator = (name: string, ...args: string[]): Promise<string> =>
      podman.call('exec', '--env', 'JOBFORGE_TOKEN_FILE=/data/admin.token', name, ...JOBFORGE, ...args);
    await asOperator('first', 'job', 'submit', 'nobody.offers', '{}', '--id', 'kept');
    await podman.call('rm', '--force', '--time', '40', 'first');
    await podman.call('run', '--detach', '--name', 'second', ...volume, 'jobforge');
    await expect.poll(() => isHealthy('second'), { timeout: 60_000 }).toBe(true);
    const shown = await asOperator('second', 'job', 'show', 'kept', '--json');
    expect(JSON.parse(shown)).toMatchObject({ id: 'kept', status: 'queued' });
  }, 180_000);
});
