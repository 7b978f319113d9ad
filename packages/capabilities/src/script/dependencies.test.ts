import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCapability } from '@controlplane/runner-sdk/testing';
import { afterAll, expect, test } from 'vitest';
import { findInterpreters } from './interpreters.js';
import { servePackages } from './package-index.suite.js';
import type { ScriptInput } from './script-input.js';
import { script } from './script.js';

const root = mkdtempSync(join(tmpdir(), 'packages-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const interpreters = await findInterpreters();

async function serving(name: string) {
  const { url, asked } = await servePackages(mkdtempSync(join(root, 'served-')));
  const workDirectory = join(root, name);
  const scripts = script({
    interpreters,
    workDirectory,
    stateDirectory: join(root, 'state'),
    packages: { npmRegistry: url, pypiIndex: `${url}/simple` },
    environment: [],
  });
  const run = (input: ScriptInput, timeoutMs?: number) =>
    runCapability(scripts, input as never, { timeoutMs });
  return { run, asked, cache: () => readdirSync(join(workDirectory, 'cache')) };
}

test('packages of npm are installed once, without running anything of theirs, and shared', async () => {
  const { run, asked, cache } = await serving('npm');
  const code = `import three from 'three'; job.return([three, require('three')]);`;
  const input = { language: 'node', code, dependencies: ['three@1.0.0'] } as const;
  const both = await Promise.all([run(input), run(input)]);
  expect(both.map(({ data, error }) => error?.message ?? data?.data)).toEqual([
    [3, 3],
    [3, 3],
  ]);
  expect(asked.filter((path) => path === '/three.tgz')).toHaveLength(1);
  const again = await run({ ...input, code: `${code} // changed` });
  expect(again.data?.data).toEqual([3, 3]);
  expect(asked.filter((path) => path === '/three.tgz')).toHaveLength(1);
  expect(cache()).toEqual([expect.stringMatching(/^node-[0-9a-f]{64}$/)]);
});

test('packages of PyPI are installed once', async ({ skip }) => {
  if (!interpreters.languages.python) return skip('this machine has no python');
  const { run, asked } = await serving('pypi');
  const code = `import four, job\njob.returns(four.VALUE)`;
  for (const _ of [1, 2]) {
    const { data, error } = await run({ language: 'python', code, dependencies: ['four==1.0.0'] });
    expect(error?.message ?? data?.data).toBe(4);
  }
  expect(asked.filter((path) => path.startsWith('/wheels/'))).toHaveLength(1);
});

test('what cannot be installed fails the script with what the installer said, and leaves nothing in the cache', async () => {
  const { run, cache } = await serving('missing');
  const { error } = await run({ language: 'node', code: '1', dependencies: ['no-such-package@1.0.0'] });
  expect(error).toMatchObject({ code: 'DEPENDENCIES_NOT_INSTALLED', retryable: true });
  expect(error?.details[0]?.message).toContain('404');
  expect(cache()).toEqual([]);
});

test.each([
  ['node', '--registry=http://elsewhere'],
  ['node', 'git+ssh://elsewhere/x'],
  ['node', 'file:../x'],
  ['node', '../x'],
  ['node', 'https://elsewhere/x.tgz'],
  ['node', 'three@npm:other'],
  ['python', '--index-url=http://elsewhere'],
  ['python', 'x @ https://elsewhere/x.whl'],
  ['python', './x'],
  ['python', '-r requirements.txt'],
] as const)('%s: %s is no package of a registry', async (language, spec) => {
  const scripts = script({
    interpreters,
    workDirectory: join(root, 'refused'),
    stateDirectory: join(root, 'state'),
  });
  const { error } = await runCapability(scripts, { language, code: '1', dependencies: [spec] });
  expect(error).toMatchObject({ code: 'DEPENDENCY_REFUSED', retryable: false });
});

test('a runner that is told so installs nothing, and bash has no packages', async () => {
  const options = { interpreters, workDirectory: join(root, 'none'), stateDirectory: join(root, 'state') };
  const none = script({ ...options, packages: false });
  const refused = await runCapability(none, { language: 'node', code: '1', dependencies: ['three@1.0.0'] });
  expect(refused.error?.code).toBe('DEPENDENCY_REFUSED');
  const bash = await runCapability(none, { language: 'bash', code: 'true', dependencies: ['three@1.0.0'] });
  expect(bash.error?.code).toBe('VALIDATION_ERROR');
});
