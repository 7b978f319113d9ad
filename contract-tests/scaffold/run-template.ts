import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { freePort } from '../end-to-end/processes.js';
import { launch, succeed } from './commands.js';
import { NPM, type PackageManager } from './package-managers.js';

export interface ProjectOptions {
  /** Variables of the project's commands. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: npm. */
  readonly manager?: PackageManager;
}

/** The command in the last block of the README, as a shell reads it. */
function lastCommand(project: string): string {
  const blocks = [...readFileSync(join(project, 'README.md'), 'utf8').matchAll(/```\n([^`]+)\n```/g)];
  return blocks.at(-1)?.[1] ?? '';
}

interface Lockfile {
  readonly packages: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** What npm is held to: its lockfile without where packages come from, which each machine may say otherwise. */
export function lockOf(project: string): Lockfile['packages'] {
  const { packages } = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as Lockfile;
  const bare = Object.entries(packages).map(([place, { resolved: _, funding: _too, ...entry }]) => [
    place,
    entry,
  ]);
  return Object.fromEntries(bare) as Lockfile['packages'];
}

/** Its types, its tests and its contract test, all at once: they mostly wait. */
export async function proveScripts(
  project: string,
  { env = {}, manager = NPM }: ProjectOptions = {},
): Promise<void> {
  const isTyped = existsSync(join(project, 'tsconfig.json'));
  const scripts = ['contract', 'test', ...(isTyped ? ['typecheck'] : [])];
  const [contract] = await Promise.all(
    scripts.map((script) =>
      succeed(manager.command, ['run', script], { cwd: project, env: { ...manager.env, ...env } }),
    ),
  );
  expect(contract?.output).toMatch(/\b0 failed/);
}

/** Starts its script `dev` and types the last command of its README; returns what that says. */
export async function runFirstJob(
  project: string,
  { env = {}, manager = NPM }: ProjectOptions = {},
): Promise<string> {
  const ports = { JOBFORGE_PORT: String(await freePort()), PORT: String(await freePort()) };
  const dev = launch(manager.command, ['run', 'dev'], {
    cwd: project,
    env: { ...manager.env, ...env, ...ports },
  });
  await dev.line(/ {2}ready · /);
  const JOBFORGE_URL = `http://127.0.0.1:${ports.JOBFORGE_PORT}`;
  const job = await succeed('sh', ['-c', lastCommand(project)], {
    cwd: project,
    env: { ...manager.env, JOBFORGE_URL },
  });
  // The shell between npm and the script reports the signal, not the exit code.
  expect([0, null]).toContain(await dev.interrupt());
  return job.stdout;
}
