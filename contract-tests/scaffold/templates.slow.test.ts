import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { IMAGE, startTestEngine } from '../../packages/capabilities/src/container/test-engine.suite.js';
import { endCommands } from './commands.js';
import { proveScripts, runFirstJob } from './run-template.js';
import { openScaffoldingRoom, type ScaffoldingRoom } from './scaffolding-room.js';

/** Each template but http-service, which has tests of its own → what its first job prints. */
const TEMPLATES = {
  'dial-out': 'Hello, Ada',
  'long-poll': 'Hello, Ada',
  shell: 'Hello, Ada',
  script: '"data":42',
  python: 'Hello, Ada',
};

const engine = await startTestEngine();
let room: ScaffoldingRoom;

beforeAll(async () => {
  room = await openScaffoldingRoom();
});
afterEach(endCommands);
afterAll(() => room.close());

describe.each(Object.entries(TEMPLATES))('a project of %s', (template, result) => {
  it('passes its tests and its contract test, starts, and runs the last command of its README', async (context) => {
    const project = await room.scaffold(`my-${template}`, '--template', template, '--no-git');
    const offline = await room.install(project);
    if (offline !== undefined) context.skip(offline);
    await proveScripts(project);
    const said = await runFirstJob(project);
    expect(said).toMatch(/completed in/);
    expect(said).toContain(result);
  });
});

describe.skipIf(engine === undefined)('a project of container', () => {
  it('passes its tests and its contract test, starts, and runs the last command of its README', async (context) => {
    // What the README names, without a registry.
    execFileSync(engine?.engine.path ?? '', ['tag', IMAGE, 'docker.io/library/alpine:3.20']);
    const conf = ['CONTAINERS_CONF', 'CONTAINERS_STORAGE_CONF'];
    const env = Object.fromEntries(conf.map((name) => [name, process.env[name] ?? '']));
    const project = await room.scaffold('my-container', '--template', 'container', '--no-git');
    const offline = await room.install(project);
    if (offline !== undefined) context.skip(offline);
    await proveScripts(project, env);
    expect(await runFirstJob(project, env)).toMatch(/completed in[^]*Hello, Ada/);
  });
});
