import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createInstallation, type InstallationFixture } from './installation.fixture.js';
import { findInstalledPackages } from './installed-packages.js';

let project: InstallationFixture;
beforeEach(() => {
  project = createInstallation();
});
afterEach(() => rmSync(project.dir, { recursive: true, force: true }));

async function found(dir = project.dir): Promise<string[]> {
  const { packages } = await findInstalledPackages(dir);
  return packages.map(({ name, version }) => `${name}@${version}`);
}

describe('installed packages', () => {
  test('npm: reads nested folders and scopes, every copy of a version', async () => {
    project.add('node_modules/a', { name: 'a', version: '1.0.0' });
    project.add('node_modules/a/node_modules/b', { name: 'b', version: '1.0.0' });
    project.add('node_modules/c/node_modules/b', { name: 'b', version: '1.0.0' });
    project.add('node_modules/c', { name: 'c', version: '1.0.0' });
    project.add('node_modules/@s/d', { name: '@s/d', version: '2.0.0' });
    project.add('node_modules/b', { name: 'b', version: '2.0.0' });
    expect(await found()).toEqual(['@s/d@2.0.0', 'a@1.0.0', 'b@1.0.0', 'b@1.0.0', 'b@2.0.0', 'c@1.0.0']);
  });

  test('npm: an alias is known by the name of the package that it installs', async () => {
    project.add('node_modules/zod3', { name: 'zod', version: '3.25.76' });
    expect(await found()).toEqual(['zod@3.25.76']);
  });

  test('pnpm: counts each package of the virtual store once, however many links lead to it', async () => {
    project.add('node_modules/.pnpm/a@1.0.0/node_modules/a', { name: 'a', version: '1.0.0' });
    project.add('node_modules/.pnpm/@s+b@1.0.0/node_modules/@s/b', { name: '@s/b', version: '1.0.0' });
    project.link(
      'node_modules/.pnpm/a@1.0.0/node_modules/@s/b',
      'node_modules/.pnpm/@s+b@1.0.0/node_modules/@s/b',
    );
    project.link('node_modules/.pnpm/node_modules/@s/b', 'node_modules/.pnpm/@s+b@1.0.0/node_modules/@s/b');
    project.link('node_modules/a', 'node_modules/.pnpm/a@1.0.0/node_modules/a');
    expect(await found()).toEqual(['@s/b@1.0.0', 'a@1.0.0']);
  });

  test('pnpm: from a workspace member it follows the links into the store, and only to what they lead to', async () => {
    const store = 'node_modules/.pnpm';
    project.add(`${store}/a@1.0.0/node_modules/a`, { name: 'a', version: '1.0.0' });
    project.add(`${store}/b@1.0.0/node_modules/b`, { name: 'b', version: '1.0.0' });
    project.add(`${store}/unrelated@1.0.0/node_modules/unrelated`, { name: 'unrelated', version: '1.0.0' });
    project.link(`${store}/a@1.0.0/node_modules/b`, `${store}/b@1.0.0/node_modules/b`);
    project.link('packages/member/node_modules/a', `${store}/a@1.0.0/node_modules/a`);
    expect(await found(`${project.dir}/packages/member`)).toEqual(['a@1.0.0', 'b@1.0.0']);
  });

  test('a linked package of the workspace is not counted, what it installs is', async () => {
    project.add('packages/own', { name: 'own', version: '0.0.0' });
    project.add('packages/own/node_modules/a', { name: 'a', version: '3.0.0' });
    project.link('node_modules/own', 'packages/own');
    expect(await found()).toEqual(['a@3.0.0']);
  });

  test('yarn: ignores its own files and folders without package.json', async () => {
    project.add('node_modules/a', { name: 'a', version: '1.0.0' });
    project.add('node_modules/a/node_modules/@s/b', { name: '@s/b', version: '1.0.0' });
    project.add('node_modules/.cache/c', { name: 'c', version: '1.0.0' });
    project.link('node_modules/.bin/a', 'node_modules/a');
    project.link('node_modules/gone', 'node_modules/not-there');
    expect(await found()).toEqual(['@s/b@1.0.0', 'a@1.0.0']);
  });

  test('links in a circle end', async () => {
    project.add('node_modules/a', { name: 'a', version: '1.0.0' });
    project.link('node_modules/a/node_modules/a', 'node_modules/a');
    expect(await found()).toEqual(['a@1.0.0']);
  });

  test('a package.json that is not JSON is reported, a missing version is said', async () => {
    project.add('node_modules/broken', '{"name":');
    project.add('node_modules/bare', {});
    const { packages, unreadable } = await findInstalledPackages(project.dir);
    expect(packages.map(({ name, version }) => `${name}@${version}`)).toEqual(['bare@unversioned']);
    expect(unreadable).toEqual([`${project.dir}/node_modules/broken`]);
  });

  test('stops when it is aborted', async () => {
    project.add('node_modules/a', { name: 'a', version: '1.0.0' });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(findInstalledPackages(project.dir, { signal })).rejects.toThrow('enough');
  });
});
