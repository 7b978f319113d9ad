import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importNodeImage } from '../deploy/node-image.js';
import { missingEngine, openPodman, type Podman } from '../deploy/podman.js';
import { endProcesses, startJobForge } from '../end-to-end/processes.js';
import { succeed } from './commands.js';
import { openScaffoldingRoom, type ScaffoldingRoom } from './scaffolding-room.js';

const jobforge = fileURLToPath(new URL('../../packages/jobforge/bin/jobforge.js', import.meta.url));
const noEngine = await missingEngine();
if (noEngine !== undefined) console.warn(`SKIPPED: no project's image is built here: ${noEngine}.`);

describe.skipIf(noEngine !== undefined)('the image of a project', () => {
  let room: ScaffoldingRoom;
  let podman: Podman;
  beforeAll(async () => {
    room = await openScaffoldingRoom();
    podman = openPodman();
    await importNodeImage(podman);
    const project = await room.scaffold('my-image', '--template', 'dial-out', '--no-git');
    // One layer a stage: the store of the tests copies every file for each.
    const options = ['--format', 'docker', '--layers=false', '--network', 'host'];
    await podman.call('build', ...options, '--tag', 'my-image', project);
  }, 600_000);
  afterAll(async () => {
    await endProcesses();
    await podman?.close();
    room?.close();
  });

  it('runs without root, takes a job, and ends with 0 at SIGTERM', async () => {
    const forge = await startJobForge();
    await podman.call(
      ...['run', '--detach', '--network', 'host', '--name', 'my-image'],
      // Set and empty: no port of this machine is taken.
      ...['--env', `JOBFORGE_URL=${forge.url}`, '--env', 'PORT=', 'my-image'],
    );
    const submit = ['job', 'submit', 'hello.greet', '{"name":"Ada"}', '--wait', '--json'];
    const { stdout } = await succeed(process.execPath, [jobforge, ...submit], {
      cwd: room.folder,
      env: { JOBFORGE_URL: forge.url },
    });
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'completed',
      result: { data: { message: 'Hello, Ada' } },
    });
    expect(await podman.call('exec', 'my-image', 'node', '-p', 'process.getuid()')).toBe('1000');
    await podman.call('stop', '--time', '40', 'my-image');
    expect(await podman.call('inspect', '--format', '{{.State.ExitCode}}', 'my-image')).toBe('0');
  });
});
