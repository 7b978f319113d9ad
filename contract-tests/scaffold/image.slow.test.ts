import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { importNodeImage } from '../deploy/node-image.js';
import { missingEngine, openPodman, type Podman } from '../deploy/podman.js';
import { importPythonImage, missingPython } from '../deploy/python-image.js';
import { endProcesses, freePort, startJobForge } from '../end-to-end/processes.js';
import { succeed } from './commands.js';
import { openScaffoldingRoom, type ScaffoldingRoom } from './scaffolding-room.js';

const jobforge = fileURLToPath(new URL('../../packages/jobforge/bin/jobforge.js', import.meta.url));
const noEngine = (await missingEngine()) ?? missingPython();
if (noEngine !== undefined) console.warn(`SKIPPED: no project's image is built here: ${noEngine}.`);

const GREETING = { job: ['hello.greet', '{"name":"Ada"}'], data: { message: 'Hello, Ada' } };
const UID = {
  node: ['node', '-p', 'process.getuid()'],
  python: ['python3', '-c', 'import os; print(os.getuid())'],
};
/** Template → its first job; those that are left out have the same Dockerfile as dial-out. */
const TEMPLATES = {
  'dial-out': GREETING,
  'http-service': GREETING,
  // Has a folder of its own in the image.
  shell: { job: ['shell.readonly', '{"argv":["cat","welcome.txt"]}'], data: { stdout: 'Hello, Ada\n' } },
  python: GREETING,
};
/** Those that JobForge calls: they listen. */
const LISTENING = new Set(['http-service', 'python']);

describe.skipIf(noEngine !== undefined)('the image of a project', () => {
  let room: ScaffoldingRoom;
  let podman: Podman;
  beforeAll(async () => {
    room = await openScaffoldingRoom();
    podman = openPodman();
    await importNodeImage(podman);
    await importPythonImage(podman);
  }, 600_000);
  afterEach(endProcesses);
  afterAll(async () => {
    await podman?.close();
    room?.close();
  });

  it.each(Object.entries(TEMPLATES))(
    'of %s runs without root, takes a job, and ends with 0 at SIGTERM',
    async (template, { job, data }) => {
      const name = `my-${template}`;
      const project = await room.scaffold(name, '--template', template, '--no-git');
      // One layer a stage: the store of the tests copies every file for each.
      const options = ['--format', 'docker', '--layers=false', '--network', 'host'];
      await podman.call('build', ...options, '--tag', name, project);

      const forge = await startJobForge();
      const port = String(await freePort());
      // Who dials out is told an empty port: none of this machine is taken.
      const own = LISTENING.has(template) ? [`PORT=${port}`, 'HOST=127.0.0.1'] : ['PORT='];
      await podman.call(
        ...['run', '--detach', '--network', 'host', '--name', name],
        ...[`JOBFORGE_URL=${forge.url}`, ...own].flatMap((variable) => ['--env', variable]),
        name,
      );
      const submit = ['job', 'submit', ...job, '--wait', '--json'];
      const { stdout } = await succeed(process.execPath, [jobforge, ...submit], {
        cwd: room.folder,
        env: { JOBFORGE_URL: forge.url },
      });
      expect(JSON.parse(stdout)).toMatchObject({ status: 'completed', result: { data } });
      const uid = UID[template === 'python' ? 'python' : 'node'];
      expect(await podman.call('exec', name, ...uid)).toBe('1000');
      // By its own probe it is well: registered, and not draining.
      if (LISTENING.has(template)) await podman.call('healthcheck', 'run', name);
      await podman.call('stop', '--time', '40', name);
      expect(await podman.call('inspect', '--format', '{{.State.ExitCode}}', name)).toBe('0');
    },
    600_000,
  );
});
