import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, expect, test } from 'vitest';
import { endProcess, endProcesses, startJobForge } from './processes.js';

// The whole runner as it is started in production, killed while it runs commands and scripts, and started again.

const BIN = fileURLToPath(new URL('../../packages/runner/bin/controlplane-runner.js', import.meta.url));
const COMMANDS = 20;
const SCRIPTS = 6;
const stateDirectory = mkdtempSync(join(tmpdir(), 'orphans-'));
afterAll(() => rmSync(stateDirectory, { recursive: true, force: true }));
const runners = new Set<ChildProcess>();
afterEach(async () => {
  await Promise.all([...runners].map((runner) => endProcess(runner, 'SIGKILL')));
  await endProcesses();
});

/** Seconds that nobody else sleeps for, to find the processes by. */
const seconds = `${40_000 + Math.floor(Math.random() * 9_000)}.${process.pid}`;

/** How many living programs sleep for these seconds. */
function sleeping(): number {
  return readdirSync('/proc').filter((name) => {
    try {
      if (!/^\d+$/.test(name) || /^State:\s+Z/m.test(readFileSync(`/proc/${name}/status`, 'utf8')))
        return false;
      const [program = '', ...args] = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      return program === 'sleep' && args.includes(seconds);
    } catch {
      return false;
    }
  }).length;
}

function startRunner(url: string): ChildProcess {
  const { PATH = '', HOME = '' } = process.env;
  const args = ['--host', 'jobforge', '--shell', 'full', '--script', '--concurrency', '64'];
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { PATH, HOME, JOBFORGE_URL: url, RUNNER_NAME: 'orphans', RUNNER_STATE_DIR: stateDirectory },
    stdio: 'ignore',
  });
  runners.add(child);
  return child;
}

async function submit(url: string, type: string, data: object): Promise<void> {
  const answer = await fetch(`${url}/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type, payload: { type, data }, timeoutMs: 600_000 }),
  });
  expect(answer.ok, await answer.text()).toBe(true);
}

test('kill -9 of a runner leaves no process of its commands and scripts once it is started again', async () => {
  const before = await startJobForge();
  const killed = startRunner(before.url);
  // In the group of its command, and in a session of its own.
  const command = `setsid sleep ${seconds} & sleep ${seconds} & wait`;
  for (let count = 0; count < COMMANDS; count++) await submit(before.url, 'shell.full', { command });
  const code = `require('node:child_process').spawnSync('sleep', ['${seconds}'])`;
  for (let count = 0; count < SCRIPTS; count++)
    await submit(before.url, 'script.run', { language: 'node', code });
  const all = 2 * COMMANDS + SCRIPTS;
  await expect.poll(sleeping, { timeout: 60_000 }).toBe(all);

  killed.kill('SIGKILL');
  await once(killed, 'exit');
  expect(sleeping()).toBe(all);

  // Another JobForge, which has no jobs: nothing is begun anew.
  const after = await startJobForge();
  const started = performance.now();
  startRunner(after.url);
  await expect.poll(sleeping, { timeout: 60_000 }).toBe(0);
  const ms = Math.round(performance.now() - started);
  process.stdout.write(`kill -9: ${all} processes left, none ${ms} ms after the start of the next\n`);
});
