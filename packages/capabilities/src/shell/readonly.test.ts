import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { alive, run } from '../process/process-control.suite.js';
import { shell } from './shell.js';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'readonly-')));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const [allowed, state, outside] = ['allowed', 'state', 'outside'].map((name) => join(root, name)) as [
  string,
  string,
  string,
];
for (const folder of [allowed, state, outside, join(allowed, 'sub')]) mkdirSync(folder);
writeFileSync(join(allowed, 'app.log'), 'one\ntwo\nthree\n');
writeFileSync(join(allowed, '-n'), 'named like an option\n');
writeFileSync(join(outside, 'secret'), 'SECRET-OF-THE-RUNNER\n');
symlinkSync(join(outside, 'secret'), join(allowed, 'link'));
symlinkSync(outside, join(allowed, 'folder-link'));

const looking = shell({ profile: 'readonly', allow: [allowed], stateDirectory: state });
const printed = async (...argv: string[]): Promise<string | undefined> =>
  (await run(looking, { argv })).data?.stdout;
const refusal = async (...argv: string[]): Promise<string | undefined> =>
  (await run(looking, { argv })).error?.code;

describe('the profile readonly', () => {
  test('reads files of the folders that it allows', async () => {
    expect(await printed('cat', join(allowed, 'app.log'))).toBe('one\ntwo\nthree\n');
    expect(await printed('tail', '-n', '1', 'app.log')).toBe('three\n');
    expect(await printed('head', '-1', './sub/../app.log')).toBe('one\n');
    expect(await printed('grep', '-c', 't', 'app.log')).toBe('2\n');
    expect(await printed('cat', '--', '-n')).toBe('named like an option\n');
    expect(await printed('ls')).toBe('-n\napp.log\nfolder-link\nlink\nsub\n');
    expect(await printed('ls', '-a', 'sub')).toBe('.\n..\n');
  });

  test('tells of the machine', async () => {
    for (const argv of [
      ['uname', '-s'],
      ['uptime'],
      ['whoami'],
      ['df', '-h'],
      ['free', '-m'],
      ['ps', '-e', '-o', 'pid,comm'],
    ])
      expect(await printed(...argv), argv.join(' ')).toMatch(/\S/);
  });

  test.each([
    ['env'],
    ['printenv'],
    ['sh', '-c', 'id'],
    ['/usr/bin/cat', 'app.log'],
    ['./cat', 'app.log'],
    ['find', '.', '-exec', 'id', ';'],
    ['awk', 'BEGIN{system("id")}'],
    ['systemctl', 'status', '--host=elsewhere'],
    ['ps', 'auxe'],
    ['ps', '-e', '-o', 'args'],
    ['ps', '-e', '-o', 'pid,environ'],
    ['date', '-f', '/etc/shadow'],
    ['date', '-s', '2000-01-01'],
    ['date', '--file=/etc/shadow'],
    ['hostname', 'another'],
    ['hostname', '-F', '/etc/shadow'],
    ['wc', '--files0-from=/etc/shadow'],
    ['grep', '-f', '/etc/shadow', 'app.log'],
    ['grep', '-r', 'x', '.'],
    ['grep', '--include=x', 'y', 'app.log'],
    ['ls', '-L', '.'],
    ['ls', '-R', '.'],
    ['tail', '--pid=1', 'app.log'],
    ['toString'],
  ])('refuses %s', async (...argv) => {
    expect(await refusal(...argv)).toBe('COMMAND_NOT_ALLOWED');
  });

  test('refuses a line for the shell, and variables', async () => {
    expect((await run(looking, { command: 'cat app.log' })).error?.code).toBe('COMMAND_NOT_ALLOWED');
    expect((await run(looking, { argv: ['cat', 'app.log'], env: { LD_PRELOAD: '/x.so' } })).error?.code).toBe(
      'COMMAND_NOT_ALLOWED',
    );
  });

  test('what stands for the shell in an argument is a name like any other', async () => {
    const ended = await run(looking, { argv: ['cat', 'app.log; id', '$(id)', '|'] });
    expect(ended.error?.code).toBe('FILE_NOT_READ');
  });

  test.each([
    '/etc/passwd',
    '../outside/secret',
    'link',
    'folder-link/secret',
    'sub/../../outside/secret',
    '/proc/self/environ',
    `/proc/${process.pid}/environ`,
    '/dev/fd/0',
    '/dev/zero',
  ])('does not read %s', async (path) => {
    for (const program of ['cat', 'tail', 'head', 'wc'])
      expect(await refusal(program, path), program).toMatch(/^PATH_NOT_ALLOWED|FILE_NOT_READ$/);
    expect(await refusal('grep', '.', path)).toMatch(/^PATH_NOT_ALLOWED|FILE_NOT_READ$/);
  });

  test('lists no folder outside, nor runs in one', async () => {
    expect(await refusal('ls', outside)).toBe('PATH_NOT_ALLOWED');
    expect(await refusal('ls', 'folder-link')).toBe('PATH_NOT_ALLOWED');
    expect((await run(looking, { argv: ['ls'], cwd: outside })).error?.code).toBe('PATH_NOT_ALLOWED');
    expect((await run(looking, { argv: ['pwd'], cwd: 'sub' })).data?.stdout).toBe(
      `${join(allowed, 'sub')}\n`,
    );
  });

  test('gives programs no variable of the runner', async () => {
    const stop = new AbortController();
    let given: string[] = [];
    const onEvent = (event: { readonly type: string }): void => {
      if (event.type !== 'log' || stop.signal.aborted) return;
      const [pid] = alive('tail\0-f\0/dev/fd/3');
      given = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
      stop.abort();
    };
    const ended = await run(looking, { argv: ['tail', '-f', 'app.log'] }, { signal: stop.signal, onEvent });
    expect(ended.outcome).toBe('cancelled');
    expect(new Set(given.map((variable) => variable.split('=')[0]))).toEqual(
      new Set(['CONTROLPLANE_EXECUTION', 'LANG', 'PATH']),
    );
  });

  test.each(['/', '/proc', '/dev', '/proc/self', '/run'])('cannot be told to allow %s', (folder) => {
    expect(() => shell({ profile: 'readonly', allow: [folder], stateDirectory: state })).toThrow(
      /would open/,
    );
  });

  test('cannot be told to allow the state directory of the runner, nor what holds it', () => {
    for (const folder of [state, root, join(state, 'processes')])
      expect(() => shell({ profile: 'readonly', allow: [folder], stateDirectory: state })).toThrow(
        /keeps its secrets/,
      );
  });

  test('changes nothing, and so may be repeated', () => {
    expect(looking).toMatchObject({ id: 'shell.readonly', effects: 'none' });
    expect(shell({ profile: 'full', stateDirectory: state })).toMatchObject({
      id: 'shell.full',
      effects: 'writes',
    });
  });
});
