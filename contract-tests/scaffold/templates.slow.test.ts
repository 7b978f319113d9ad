import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { importBusyboxImage } from '../deploy/busybox-image.js';
import { missingEngine, openPodman, type Podman } from '../deploy/podman.js';
import { endCommands } from './commands.js';
import { lockOf, proveScripts, runFirstJob } from './run-template.js';
import { openScaffoldingRoom, type ScaffoldingRoom } from './scaffolding-room.js';

/** Each template but http-service, which has tests of its own → what its first job prints. */
const TEMPLATES = {
  'dial-out': 'Hello, Ada',
  'long-poll': 'Hello, Ada',
  shell: 'Hello, Ada',
  script: '"data":42',
  python: 'Hello, Ada',
};

const noEngine = await missingEngine();
if (noEngine !== undefined) console.warn(`SKIPPED: no project runs containers here: ${noEngine}.`);
let room: ScaffoldingRoom;

beforeAll(async () => {
  room = await openScaffoldingRoom();
});
afterEach(endCommands);
afterAll(() => room.close());

describe.each(Object.entries(TEMPLATES))('a project of %s', (template, result) => {
  it('passes its tests and its contract test, starts, and runs the last command of its README', async (context) => {
    const project = await room.scaffold(`my-${template}`, '--template', template, '--no-git');
    const locked = lockOf(project);
    const offline = await room.install(project);
    if (offline !== undefined) context.skip(offline);
    expect(lockOf(project)).toEqual(locked);
    await proveScripts(project);
    const said = await runFirstJob(project);
    expect(said).toMatch(/completed in/);
    expect(said).toContain(result);
  });
});

describe.skipIf(noEngine !== undefined)('with an engine for containers', () => {
  let podman: Podman;
  beforeAll(() => {
    podman = openPodman();
  });
  afterAll(() => podman.close());

  it('a project of container passes its tests and its contract test, and runs its first job', async (context) => {
    await importBusyboxImage(podman, 'docker.io/library/alpine:3.20');
    const project = await room.scaffold('my-container', '--template', 'container', '--no-git');
    const offline = await room.install(project);
    if (offline !== undefined) context.skip(offline);
    await proveScripts(project, { env: podman.variables });
    expect(await runFirstJob(project, { env: podman.variables })).toMatch(/completed in[^]*Hello, Ada/);
  });
});
