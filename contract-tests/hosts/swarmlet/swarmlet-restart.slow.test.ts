import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startDaemon, type Daemon } from '../daemon-process.js';
import type { ScriptedSwarmlet } from './scripted-swarmlet.js';
import { startHost } from './served.js';

const PATIENT = { timeout: 30_000 };

/** A folder that outlives the processes of a runner. */
async function stateDirectory(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'swarmlet-restart-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const started = (host: ScriptedSwarmlet, state: string): Daemon =>
  startDaemon(['--host', 'swarmlet', '--shell', 'full'], {
    ...{ SWARMLET_URL: host.url, RUNNER_ID: '7', RUNNER_SECRET: 'seven-secret' },
    ...{ RUNNER_STATE_DIR: state, RECONNECT_DELAY_MS: '50' },
  });

async function killed({ child, exit }: Daemon): Promise<void> {
  child.kill('SIGKILL');
  await exit;
}

/** What is kept in the outbox, and where. */
async function kept(state: string): Promise<{ readonly path: string; readonly text: string }[]> {
  const names = await readdir(join(state, 'outbox'), { recursive: true }).catch(() => []);
  const files = names.filter((name) => name.endsWith('.json')).map((name) => join(state, 'outbox', name));
  return Promise.all(
    files.map(async (path) => ({ path, text: await readFile(path, 'utf8').catch(() => '') })),
  );
}

test('an end that could not be told before the runner was killed is told by the next one', async () => {
  const [host, state] = [await startHost(), await stateDirectory()];
  const first = started(host, state);
  await host.connections.first(() => true);
  const job = host.exec(`echo begun; while [ ! -e "${state}/go" ]; do sleep 0.05; done; echo done`);
  await host.chunk(job);
  host.behaviour.upgrade = 'bad gateway';
  host.drop();
  await writeFile(join(state, 'go'), '');
  await expect
    .poll(async () => (await kept(state)).some(({ text }) => text.includes('exec_done')), PATIENT)
    .toBe(true);
  const [file] = await kept(state);
  expect((await stat(file?.path ?? '')).mode & 0o777).toBe(0o600);
  expect(file?.text).not.toContain('seven-secret');
  await killed(first);
  host.behaviour.upgrade = 'open';
  started(host, state);
  const ended = await host.ended(job);
  expect(ended).toMatchObject({ status: 'success', exitCode: 0 });
  // What was not known to have been read is said again.
  expect(ended.stdout).toMatch(/^(begun\n)+done\n$/);
  // Once it is known to have been read nothing is left of it.
  await expect.poll(() => kept(state), PATIENT).toEqual([]);
});

test('a command that ran when the runner was killed is lost, and its control plane is told', async () => {
  const [host, state] = [await startHost(), await stateDirectory()];
  const first = started(host, state);
  await host.connections.first(() => true);
  const job = host.exec('echo begun; exec sleep 600');
  await host.chunk(job);
  await expect
    .poll(async () => (await kept(state)).some(({ text }) => text.includes('RUNNER_LOST')), PATIENT)
    .toBe(true);
  await killed(first);
  started(host, state);
  expect(await host.ended(job)).toMatchObject({
    status: 'failed',
    error: 'RUNNER_LOST: the runner was restarted while the command ran',
  });
  // It goes on with the next one.
  expect(await host.ended(host.exec('echo next'))).toMatchObject({ status: 'success', stdout: 'next\n' });
  await expect.poll(() => kept(state), PATIENT).toEqual([]);
});
