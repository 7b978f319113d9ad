import { readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../end-to-end/processes.js';
import { attempt, endCommands, launch, succeed } from './commands.js';
import { openScaffoldingRoom, type ScaffoldingRoom } from './scaffolding-room.js';

const JOB = ['jobforge', 'job', 'submit', 'hello.greet', '{"name":"Ada"}', '--follow'];

let room: ScaffoldingRoom;
let project: string;
/** Why there is nothing to test with, where that is so. */
let offline: string | undefined;
let createdMs: number;

beforeAll(async () => {
  room = await openScaffoldingRoom();
  const started = performance.now();
  project = await room.scaffold('demo');
  createdMs = performance.now() - started;
  offline = await room.install(project);
});
afterEach(endCommands);
afterAll(() => room.close());

it('the packed create-runner makes a project without the network', () => {
  expect(createdMs).toBeLessThan(30_000);
  expect(readFileSync(join(project, '.gitignore'), 'utf8')).toContain('node_modules/');
});

describe('its project, installed by npm from the packed packages', () => {
  beforeEach((context) => {
    if (offline !== undefined) context.skip(offline);
  });

  it('type-checks', async () => {
    await succeed('npm', ['run', 'typecheck'], { cwd: project });
  });

  it('passes its own tests', async () => {
    const { output } = await succeed('npm', ['test'], { cwd: project });
    expect(output).toMatch(/Tests\s+4 passed/);
  });

  it('passes its own contract test', async () => {
    const { output } = await succeed('npm', ['run', 'contract'], { cwd: project });
    expect(output).toMatch(/\b0 failed/);
  });

  it('runs a job against jobforge dev', async () => {
    const forge = launch('npx', ['jobforge', 'dev', '--port', '0', '--memory', '--json'], { cwd: project });
    const [, url = ''] = await forge.line(/"event":"ready".*"url":"([^"]+)"/);
    const runner = launch('npm', ['start'], {
      cwd: project,
      env: { JOBFORGE_URL: url, PORT: String(await freePort()) },
    });
    await runner.line(/"msg":"registered"/);
    const { stdout } = await succeed('npx', JOB, { cwd: project, env: { JOBFORGE_URL: url } });
    expect(stdout).toMatch(/completed in .*\{"message":"Hello, Ada"\}/);
    console.log(stdout);
  });

  it('says in two lines that the port is taken, and which command helps', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const env = { JOBFORGE_PORT: String(await freePort()), PORT: String(port), JOBFORGE_DATA: './data-2' };
    const dev = launch('npm', ['run', 'dev'], { cwd: project, env });
    await dev.line(/embedded, \.\/data-2/);
    await dev.line(new RegExp(`port ${port} is taken`));
    await dev.line(new RegExp(`then: PORT=${port + 1} npm run dev$`));
    expect(dev.output()).not.toMatch(/^\s+at /m);
    await dev.interrupt();
    const refused = await attempt('npm', ['run', 'dev'], {
      cwd: project,
      env: { ...env, JOBFORGE_PORT: String(port) },
    });
    expect(refused.output).toContain(`JobForge does not start: port ${port} is taken.`);
    expect(refused.output).toContain(`JOBFORGE_PORT=${port + 10} npm run dev`);
    holder.close();
  });

  it('starts with npm run dev, runs a job, takes up a change and ends with Ctrl-C', async () => {
    const env = { JOBFORGE_PORT: String(await freePort()), PORT: String(await freePort()) };
    const url = `http://127.0.0.1:${env.JOBFORGE_PORT}`;
    const started = performance.now();
    const dev = launch('npm', ['run', 'dev'], { cwd: project, env });
    await dev.line(/^JobForge {3}http/);
    await dev.line(/^demo {2}ready · hello\.greet@1\.0\.0$/);
    console.log(`npm run dev: ready in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    expect((await succeed('npx', JOB, { cwd: project, env: { JOBFORGE_URL: url } })).stdout).toContain(
      'Hello, Ada',
    );

    const source = join(project, 'src/capabilities/hello-greet.ts');
    const sound = readFileSync(source, 'utf8');
    writeFileSync(source, sound.replaceAll('Hello, ', 'Wrong, ').replace('5_000', "'5 s'"));
    await dev.line(/error TS2322/);
    await dev.line(/Found 1 error/);
    expect((await succeed('npx', JOB, { cwd: project, env: { JOBFORGE_URL: url } })).stdout).toContain(
      'Hello, Ada',
    );
    writeFileSync(source, sound.replaceAll('Hello, ', 'Welcome, ').replace("'1.0.0'", "'1.1.0'"));
    await dev.line(/^demo {2}ready · hello\.greet@1\.1\.0$/);
    expect((await succeed('npx', JOB, { cwd: project, env: { JOBFORGE_URL: url } })).stdout).toContain(
      'Welcome, Ada',
    );

    expect(dev.output().match(/ready · hello\.greet@1\.0\.0/g)).toHaveLength(1);
    // The shell between npm and the script reports the signal, not the exit code.
    expect([0, null]).toContain(await dev.interrupt());
    for (const port of [env.JOBFORGE_PORT, env.PORT]) {
      await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow('fetch failed');
    }
  });
});
