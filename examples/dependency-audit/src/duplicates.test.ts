import { linkSync, rmSync, unlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findDuplicates } from './duplicates.js';
import { createInstallation, type InstallationFixture } from './installation.fixture.js';
import { findInstalledPackages } from './installed-packages.js';

let project: InstallationFixture;
beforeEach(() => {
  project = createInstallation();
});
afterEach(() => rmSync(project.dir, { recursive: true, force: true }));

const manifest = (name: string, version: string): string => JSON.stringify({ name, version });

async function duplicates(): ReturnType<typeof findDuplicates> {
  return findDuplicates((await findInstalledPackages(project.dir)).packages);
}

describe('duplicates', () => {
  test('a package in two versions is found with the size of each, newest last', async () => {
    project.add('node_modules/a', manifest('a', '10.0.0'), 300);
    project.add('node_modules/b', manifest('b', '1.0.0'));
    project.add('node_modules/b/node_modules/a', manifest('a', '9.0.0'), 100);
    const own = manifest('a', '9.0.0').length;
    expect(await duplicates()).toEqual([
      {
        name: 'a',
        versions: [
          { version: '9.0.0', copies: 1, bytes: 100 + own },
          { version: '10.0.0', copies: 1, bytes: 300 + own + 1 },
        ],
        bytes: 400 + 2 * own + 1,
      },
    ]);
  });

  test('several copies of one version are no duplicate', async () => {
    project.add('node_modules/b/node_modules/a', manifest('a', '1.0.0'));
    project.add('node_modules/c/node_modules/a', manifest('a', '1.0.0'));
    expect(await duplicates()).toEqual([]);
  });

  test('the largest comes first, and nested packages do not add to the one around them', async () => {
    project.add('node_modules/small', manifest('small', '1.0.0'), 10);
    project.add('node_modules/small/node_modules/large', manifest('large', '1.0.0'), 5000);
    project.add('node_modules/large', manifest('large', '2.0.0'), 5000);
    project.add('node_modules/large/node_modules/small', manifest('small', '2.0.0'), 10);
    expect((await duplicates()).map(({ name, bytes }) => [name, bytes > 5000])).toEqual([
      ['large', true],
      ['small', false],
    ]);
  });

  test('a file that is linked into two copies takes up its space once', async () => {
    project.add('node_modules/b/node_modules/a', manifest('a', '1.0.0'), 1000);
    project.add('node_modules/c/node_modules/a', manifest('a', '1.0.0'), 1000);
    project.add('node_modules/a', manifest('a', '2.0.0'));
    const [copy, original] = ['b', 'c'].map(
      (name) => `${project.dir}/node_modules/${name}/node_modules/a/index.js`,
    );
    unlinkSync(copy ?? '');
    linkSync(original ?? '', copy ?? '');
    const [found] = await duplicates();
    expect(found?.versions[0]).toMatchObject({
      version: '1.0.0',
      copies: 2,
      bytes: 1000 + 2 * manifest('a', '1.0.0').length,
    });
  });

  test('stops when it is aborted', async () => {
    project.add('node_modules/a', manifest('a', '2.0.0'));
    project.add('node_modules/b/node_modules/a', manifest('a', '1.0.0'));
    const { packages } = await findInstalledPackages(project.dir);
    await expect(
      findDuplicates(packages, { signal: AbortSignal.abort(new Error('enough')) }),
    ).rejects.toThrow('enough');
  });
});
