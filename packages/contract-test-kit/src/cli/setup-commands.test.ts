import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ContractReport } from '../reporters/report.js';
import { main } from './main.js';

const root = mkdtempSync(join(tmpdir(), 'contract-test-setup-'));
const server = createServer((_request, response) => response.end('{"status":"healthy"}'));
let url = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
  rmSync(root, { recursive: true });
});

let folders = 0;
function newFolder(): string {
  folders += 1;
  const folder = join(root, String(folders));
  mkdirSync(folder);
  return folder;
}

async function run(cwd: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const code = await main(args, {
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    color: false,
    cwd,
    environment: process.env,
  });
  return { code, ...written };
}

describe('contract-test init', () => {
  it.each([
    ['github', '.github/workflows/contract.yml'],
    ['gitlab', 'contract.gitlab-ci.yml'],
  ])('writes a configuration and what runs it at %s', async (ci, path) => {
    const folder = newFolder();
    const { code, out } = await run(folder, 'init', '--command', 'python3 "my runner.py"', '--ci', ci);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining(`wrote ${path}`) });
    expect(parse(readFileSync(join(folder, 'contract-test.yaml'), 'utf8'))).toMatchObject({
      command: 'python3 "my runner.py"',
    });
    expect(parse(readFileSync(join(folder, path), 'utf8'))).toBeTypeOf('object');
  });

  it('overwrites nothing unless told to, and writes nothing then', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'contract-test.yaml'), 'mine: true');
    expect(await run(folder, 'init', '--url', url)).toMatchObject({
      code: 2,
      err: expect.stringContaining('there already: contract-test.yaml'),
    });
    expect(existsSync(join(folder, '.github'))).toBe(false);
    expect((await run(folder, 'init', '--url', url, '--force', '--json')).code).toBe(0);
  });

  it('writes no pipeline that cannot pass: an image needs an engine, which a job of GitLab has not', async () => {
    const folder = newFolder();
    expect(await run(folder, 'init', '--image', 'runner', '--ci', 'gitlab')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/no podman or docker.*--ci none/),
    });
    expect(existsSync(join(folder, 'contract-test.yaml'))).toBe(false);
    expect((await run(folder, 'init', '--image', 'runner', '--ci', 'none')).code).toBe(0);
  });

  it('exits 2 without a runner, and for a CI system that it does not know', async () => {
    expect(await run(newFolder(), 'init')).toMatchObject({ code: 2, out: '' });
    expect(await run(newFolder(), 'init', '--url', url, '--ci', 'jenkins')).toMatchObject({
      code: 2,
      out: '',
    });
  });
});

describe('contract-test run with a configuration', () => {
  it('judges the runner of the file, and lets flags take precedence', async () => {
    const folder = newFolder();
    writeFileSync(
      join(folder, 'contract-test.yaml'),
      JSON.stringify({
        url,
        run: ['health.answers'],
        seed: 7,
        reports: ['text', `badge=${join(folder, 'badge')}`],
      }),
    );
    expect(await run(folder, 'run')).toMatchObject({ code: 0, out: expect.stringContaining('seed 7') });
    const { out } = await run(folder, 'run', '--json', '--seed', '8', '--run', 'health.status-code-agrees');
    const report = ContractReport.parse(JSON.parse(out));
    expect(report.seed).toBe(8);
    expect(report.results.map(({ id }) => id)).toEqual(['health.status-code-agrees']);
    expect(existsSync(join(folder, 'badge'))).toBe(true);
  });

  it('judges the runner that a flag names instead of that of the file', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'contract-test.yaml'), JSON.stringify({ command: 'exit 9', cwd: '/no/such' }));
    expect((await run(folder, 'run', '--url', url, '--run', 'health.answers')).code).toBe(0);
  });

  it('judges the control plane that a flag names, and leaves what the file says of a runner', async () => {
    const folder = newFolder();
    writeFileSync(
      join(folder, 'contract-test.yaml'),
      JSON.stringify({ image: 'runner', network: 'host', delivery: 'websocket' }),
    );
    expect(
      await run(folder, 'run', '--control-plane', 'http://127.0.0.1:1', '--start-timeout', '2000'),
    ).toMatchObject({ code: 4, err: expect.stringContaining('--control-plane its root') });
  });

  it.each([
    ['urls: []', 'urls'],
    ['seed: soon', 'seed'],
    ['a: [', 'cannot be read'],
  ])('exits 2 for %j', async (text, message) => {
    const folder = newFolder();
    writeFileSync(join(folder, 'other.yaml'), text);
    expect(await run(folder, 'run', '--config', join(folder, 'other.yaml'))).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining(message),
    });
  });
});

describe('contract-test doctor', () => {
  it('says that the kit can work here', async () => {
    const { code, out } = await run(newFolder(), 'doctor');
    expect(out.split('\n').map((line) => line.slice(0, 13).trim())).toEqual([
      '✓ node',
      '✓ processes',
      '✓ network',
      '',
    ]);
    expect(code).toBe(0);
  });

  it('says what is missing for a runner to be judged, and exits 4', async () => {
    const { code, out } = await run(newFolder(), 'doctor', '--url', url, '--json');
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      checks: expect.arrayContaining([
        expect.objectContaining({ name: 'runner', ok: true }),
        expect.objectContaining({ name: 'capabilities', ok: false }),
      ]),
    });
    expect(code).toBe(4);
  });

  it('shows why a command does not start', async () => {
    const { code, out } = await run(newFolder(), 'doctor', '--command', 'echo no such module >&2; exit 5');
    expect(out).toMatch(/✗ runner .*ended \(code 5\).*no such module/);
    expect(code).toBe(4);
  });
});

describe('contract-test fixtures', () => {
  it.each([
    ['python', 'conformance_fixtures.py'],
    ['go', 'conformance_fixtures.go'],
    ['shell', 'conformance-fixtures.sh'],
  ])('writes the seven of them for %s, and not over a file that is there', async (language, name) => {
    const folder = newFolder();
    expect(await run(folder, 'fixtures', '--language', language)).toMatchObject({
      code: 0,
      out: `${join(folder, name)}\n`,
    });
    const text = readFileSync(join(folder, name), 'utf8');
    const ids = [...text.matchAll(/"(conformance\.[a-z]+)"/g)].map(([, id]) => id);
    expect(new Set(ids)).toEqual(
      new Set(['echo', 'sleep', 'fail', 'progress', 'logs', 'crash', 'big'].map((id) => `conformance.${id}`)),
    );
    writeFileSync(join(folder, name), 'mine');
    expect(await run(folder, 'fixtures', '--language', language)).toMatchObject({
      code: 2,
      err: expect.stringContaining('--force'),
    });
    expect(readFileSync(join(folder, name), 'utf8')).toBe('mine');
    expect(await run(folder, 'fixtures', '--language', language, '--force')).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, name), 'utf8')).toBe(text);
  });

  it('exits 2 for a language that has no file, and says what there is', async () => {
    expect(await run(newFolder(), 'fixtures', '--language', 'cobol')).toMatchObject({
      code: 2,
      err: expect.stringContaining('python, go, shell'),
    });
  });
});
