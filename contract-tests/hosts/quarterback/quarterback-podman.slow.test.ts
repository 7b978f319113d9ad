import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { container, findEngine } from '@controlplane/capabilities/container';
import type { Capability } from '@controlplane/runner-sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importBusyboxImage } from '../../deploy/busybox-image.js';
import { missingEngine, openPodman, type Podman } from '../../deploy/podman.js';
import { temporaryFolder } from '../served-runner.js';
import { serve, startHost } from './served.js';

const why = await missingEngine();
if (why !== undefined) console.warn(`SKIPPED: no task of a Quarterback runs in a container here: ${why}.`);

const IMAGE = 'localhost/controlplane-tasks:1';

/** What the image of a task is: a program that takes these arguments, whatever it does with the prompt. */
const ENTRYPOINT = '#!/bin/sh\n[ "$1 $2" = "--accept-license --task" ] || exit 64\nexec sh -c "$3"\n';

describe.skipIf(why !== undefined)('a task in a container of podman', () => {
  let podman: Podman;
  let folder = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tasks-'));
    podman = openPodman();
    Object.assign(process.env, podman.variables);
    await importBusyboxImage(podman, 'localhost/busybox:1');
    writeFileSync(join(folder, 'run'), ENTRYPOINT, { mode: 0o755 });
    writeFileSync(
      join(folder, 'Dockerfile'),
      'FROM localhost/busybox:1\nCOPY run /bin/run\nENV PATH=/bin\nENTRYPOINT ["/bin/run"]\n',
    );
    await podman.call('build', '--format', 'docker', '--tag', IMAGE, folder);
  }, 300_000);
  afterAll(async () => {
    await podman.close();
    rmSync(folder, { recursive: true });
  }, 60_000);

  const containers = async (home?: string): Promise<Capability> =>
    container({
      engine: await findEngine('podman'),
      images: [IMAGE],
      mounts: home === undefined ? [] : [{ source: home, writable: true }],
      stateDirectory: temporaryFolder(),
      workDirectory: temporaryFolder(),
    });

  test('has its files and its words, fails, runs out of time, is cancelled, and leaves nothing', async () => {
    const host = await startHost();
    await serve(host, { image: IMAGE }, { capabilities: [await containers()] });
    const read = host.task('cat "$TASK_FILES_DIR/a b.csv"; echo "$TASK_ID"', {
      files: { 'a b.csv': '1,2\n' },
    });
    expect((await host.ended(read)).status).toBe('success');
    expect(host.printed(read)).toBe(`1,2\n${read.id}\n`);
    const wrong = await host.ended(host.task('echo no >&2; exit 3'));
    expect([wrong.messages.at(-1), host.printed(wrong, 'tool')]).toEqual([
      'Task failed with exit code 3',
      'no\n',
    ]);
    const slow = await host.ended(host.task("trap '' TERM; sleep 600", { timeoutSeconds: 3 }));
    expect(slow.messages.at(-1)).toBe('Task timed out after 3 seconds');
    const unwanted = host.task('echo on; sleep 600');
    await host.said(unwanted, 'on');
    host.cancel(unwanted);
    await expect.poll(() => podman.call('ps', '--all', '--quiet'), { timeout: 60_000 }).toBe('');
    expect(unwanted.status).toBe('cancelled');
  }, 180_000);

  test('sees the folder of its runner where that is named', async () => {
    const host = await startHost();
    const home = temporaryFolder();
    writeFileSync(join(home, 'known'), 'yes');
    await serve(host, { image: IMAGE, home }, { capabilities: [await containers(home)] });
    const task = await host.ended(host.task('cat /workspace/Victoria/known'));
    expect(host.printed(task)).toBe('yes');
  }, 120_000);
});
