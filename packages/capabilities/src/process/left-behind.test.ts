import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { shell } from '../shell/shell.js';
import { alive, uniqueSeconds } from './process-control.suite.js';
import { createProcessLedger } from './process-ledger.js';

const root = mkdtempSync(join(tmpdir(), 'left-behind-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const fixture = join(import.meta.dirname, 'left-behind.fixture.mjs');

test('what a killed runner left running is ended at the next start, wherever it went', async () => {
  const seconds = uniqueSeconds();
  const runner = spawn(process.execPath, [fixture, root, seconds], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(runner.stdout, 'data');
  // Another runner with the same folder lets it alone: its owner lives.
  shell({ profile: 'full', stateDirectory: root });
  // In its group, in a session of its own, without the mark, and the shell that waits for them.
  await expect.poll(() => alive(seconds)).toHaveLength(4 + 1);

  runner.kill('SIGKILL');
  await once(runner, 'exit');
  expect(alive(seconds)).toHaveLength(4);

  shell({ profile: 'full', stateDirectory: root });
  await expect.poll(() => alive(seconds)).toEqual([]);
  expect(readdirSync(join(root, 'processes'))).toEqual([]);
});

test('a runner whose program crashes takes its commands with it at once', async () => {
  const seconds = uniqueSeconds();
  const runner = spawn(process.execPath, [fixture, root, seconds, 'crash'], { stdio: 'ignore' });
  const [code] = (await once(runner, 'exit')) as [number];
  expect(code).toBe(1);
  // What left its group is for the next start.
  await expect.poll(() => alive(seconds).length).toBeLessThanOrEqual(1);
  shell({ profile: 'full', stateDirectory: root });
  await expect.poll(() => alive(seconds)).toEqual([]);
});

test('records of programs are kept in no folder that others may write to', () => {
  const open = join(root, 'open');
  createProcessLedger(open);
  chmodSync(open, 0o777);
  expect(() => createProcessLedger(open)).toThrow(/others may write to it/);
});
