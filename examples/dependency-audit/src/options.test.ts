import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readOptions } from './options.js';

let cwd: string;
beforeAll(() => {
  cwd = realpathSync(mkdtempSync(join(tmpdir(), 'audit-options-')));
  mkdirSync(join(cwd, 'project', 'node_modules'), { recursive: true });
  mkdirSync(join(cwd, 'empty'));
  writeFileSync(join(cwd, 'file'), '');
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe('options', () => {
  test('default to this checkout, the usual port and serving on', () => {
    const options = readOptions([], cwd);
    expect(options).toMatchObject({
      port: 3002,
      exit: false,
      dir: join(import.meta.dirname, '..', '..', '..'),
    });
  });

  test('--input and --data are relative to where the command was typed', () => {
    const options = readOptions(['--input', 'project', '--data', 'jobs', '--port', '0', '--exit'], cwd);
    expect(options).toEqual({ dir: join(cwd, 'project'), data: join(cwd, 'jobs'), port: 0, exit: true });
  });

  test.each([
    [['--input', 'missing'], /There is no folder .*missing/],
    [['--input', 'file'], /file is not a folder/],
    [['--input', 'empty'], /empty has no node_modules/],
    [['--port', 'http'], /--port is "http"/],
    [['--port', '70000'], /--port is "70000"/],
    [['--inputt', 'x'], /--inputt[\s\S]*npm start -- \[--input DIR\]/],
    [['stray'], /stray/],
  ])('%j is refused with what is wrong', (args, message) => {
    expect(() => readOptions(args, cwd)).toThrow(message);
  });

  test('--help asks for the usage', () => {
    expect(readOptions(['--help'], cwd)).toBeUndefined();
  });
});
