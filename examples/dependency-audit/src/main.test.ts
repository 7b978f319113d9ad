import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createInstallation, type InstallationFixture } from './installation.fixture.js';

// The built program, as `npm start` runs it.
const program = join(import.meta.dirname, '..', 'dist', 'main.js');

let project: InstallationFixture;
let children: ChildProcess[];

beforeEach(() => {
  project = createInstallation();
  children = [];
});
afterEach(async () => {
  const running = children.filter((child) => child.exitCode === null && child.signalCode === null);
  await Promise.all(running.map((child) => (child.kill('SIGKILL'), once(child, 'close'))));
  rmSync(project.dir, { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; output: string }>;
  /** Resolves once the output contains a text. */
  says(text: string): Promise<void>;
}

function start(...args: string[]): Run {
  const all = ['--input', project.dir, '--data', join(project.dir, 'data'), '--port', '0', ...args];
  const child = spawn(process.execPath, [program, ...all], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let output = '';
  const heard = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      for (const listener of heard) listener();
    });
  }
  return {
    child,
    ended: once(child, 'close').then(([code]: (number | null)[]) => ({ code: code ?? null, output })),
    says: (text) =>
      new Promise((resolve) => {
        const listen = (): void => void (output.includes(text) && resolve());
        heard.add(listen);
        listen();
      }),
  };
}

describe('the main job', () => {
  beforeEach(() => {
    project.add('node_modules/a', { name: 'a', version: '1.0.0', license: 'MIT' });
    project.add('node_modules/b', { name: 'b', version: '1.0.0', license: 'GPL-3.0-only' });
    project.add('node_modules/b/node_modules/a', { name: 'a', version: '2.0.0', license: 'MIT' });
  });

  test('shows its progress, prints both tables and ends with 0', async () => {
    const { code, output } = await start('--exit').ended;
    expect(output).toMatch(/JobForge +http:\/\/127\.0\.0\.1:\d+/);
    expect(output).toMatch(/deps\.licenses +running/);
    expect(output).toMatch(/deps\.duplicates +100 %/);
    expect(output).toMatch(/GPL-3\.0-only +1 +! copyleft +b@1\.0\.0/);
    expect(output).toMatch(/a +2 +\d+ B +1\.0\.0, 2\.0\.0/);
    expect(code).toBe(0);
  });

  test('serves on until Ctrl-C, then ends in order with 0', async () => {
    const run = start();
    await run.says('until Ctrl-C');
    run.child.kill('SIGINT');
    const { code, output } = await run.ended;
    expect(output).toContain('stopping …');
    expect(code).toBe(0);
  });

  test('ends in order with 0 when nobody reads its output any more', async () => {
    const run = start('--exit');
    await run.says('JobForge');
    run.child.stdout?.destroy();
    const { code, output } = await run.ended;
    expect(output).not.toMatch(/EPIPE|Error/);
    expect(code).toBe(0);
  });

  test('keeps its jobs: a second start on the same data works', async () => {
    expect(await start('--exit').ended).toMatchObject({ code: 0 });
    expect(await start('--exit').ended).toMatchObject({ code: 0 });
  });

  test('on data that another one uses it is refused with what to do', async () => {
    const first = start();
    await first.says('until Ctrl-C');
    const { code, output } = await start('--exit').ended;
    expect(output).toMatch(/^✗ .*jobs\.db is in use by another JobForge.* npm start -- --data DIR\n$/);
    expect(code).toBe(2);
  });

  test('names the port that is taken and the flag to change it', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { code, output } = await start('--port', String(port)).ended;
    server.close();
    expect(output).toContain(
      `✗ Port ${port} is taken by another program. End that one, or choose another port: npm start -- --port`,
    );
    expect(code).toBe(2);
  });
});

test('a job that fails is told, and the program ends with 1', async () => {
  writeFileSync(join(project.dir, 'node_modules'), 'a file, where a folder should be');
  const { code, output } = await start('--exit').ended;
  expect(output).toContain('✗ deps.licenses: NOT_FOUND');
  expect(code).toBe(1);
});

test('a folder in which nothing is installed is told in one sentence', async () => {
  mkdirSync(join(project.dir, 'node_modules'));
  const { code, output } = await start().ended;
  expect(output).toBe(`No packages were found in ${join(project.dir, 'node_modules')}.\n`);
  expect(code).toBe(0);
});

test('a folder without node_modules is refused before anything starts', async () => {
  const { code, output } = await start('--exit').ended;
  expect(output).toContain(
    'has no node_modules. Install its packages first, or name another folder with --input.',
  );
  expect(output).not.toContain('JobForge  ');
  expect(code).toBe(2);
});
