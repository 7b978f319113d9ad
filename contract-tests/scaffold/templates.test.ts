import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { endCommands, succeed } from './commands.js';

// Outside the repository but with the packages of this checkout in place of an installation: the two templates that are
// taken most. templates.slow.test.ts has them all, installed from what would be published.

const TEMPLATES = ['http-service', 'dial-out'];
/** Whose units differ from those of the two. */
const OTHER_UNITS = ['container', 'python'];
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const room = mkdtempSync(join(tmpdir(), 'templates-'));
const node = (program: string, ...args: string[]) =>
  succeed(process.execPath, [here(program), ...args], { cwd: room });

function linkPackages(): void {
  const modules = join(room, 'node_modules');
  mkdirSync(modules);
  for (const name of ['@controlplane', 'zod'])
    symlinkSync(here(`../node_modules/${name}`), join(modules, name));
  for (const name of ['@types', 'typescript', 'vitest'])
    symlinkSync(here(`../../node_modules/${name}`), join(modules, name));
}

beforeAll(async () => {
  linkPackages();
  await Promise.all(
    [...TEMPLATES, ...OTHER_UNITS].map((template) =>
      node(
        '../../packages/create-runner/bin/create-runner.js',
        ...[template, '--template', template, '--yes', '--no-git'],
      ),
    ),
  );
}, 60_000);
afterEach(endCommands);
afterAll(() => rmSync(room, { recursive: true, force: true }));

it('projects of http-service and dial-out type-check with the settings of their own', async () => {
  // The settings of both are the same text: one compiler for the two takes half the time.
  const settings = {
    extends: './http-service/tsconfig.json',
    compilerOptions: { rootDir: '.' },
    include: TEMPLATES.map((name) => `${name}/src`),
  };
  writeFileSync(join(room, 'tsconfig.json'), JSON.stringify(settings));
  const { stdout } = await node('../../node_modules/typescript/bin/tsc', '--listFiles');
  for (const name of TEMPLATES) expect(stdout).toContain(`${name}/src/index.ts`);
}, 60_000);

it('projects of http-service and dial-out pass the tests that they come with', async () => {
  const { output } = await node('../../node_modules/vitest/vitest.mjs', 'run', ...TEMPLATES);
  expect(output).toMatch(/Test Files\s+4 passed/);
  expect(output).toMatch(/Tests\s+8 passed/);
}, 60_000);

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!hasSystemd)
  console.warn('SKIPPED: the units of projects are not read by systemd here: it is not installed.');

it.skipIf(!hasSystemd)('the units of all projects are such as systemd takes', async () => {
  const units = [...TEMPLATES, ...OTHER_UNITS].map((name) => join(room, name, 'deploy/runner.service'));
  const { output } = await succeed('systemd-analyze', ['verify', ...units], { cwd: room });
  expect(output).toBe('');
});
