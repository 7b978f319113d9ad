import { describe, expect, it } from 'vitest';
import { npmLockText } from './npm-lock.js';
import type { LockOptions, LockTable } from './npm-lock.js';

const table: LockTable = {
  'node_modules/@own/sdk': { version: '2.0.0', dependencies: { deep: '^1.0.0' } },
  'node_modules/@scope/both': { version: '1.0.0', integrity: 'sha512-both' },
  'node_modules/deep': { version: '1.5.0', integrity: 'sha512-deep', license: 'MIT' },
  'node_modules/elsewhere': { version: '1.0.0', integrity: 'sha512-elsewhere' },
  'node_modules/tool': {
    version: '3.0.0',
    integrity: 'sha512-tool',
    dependencies: { deep: '^2.0.0' },
    optionalDependencies: { '@scope/both': '1.0.0' },
    peerDependencies: { peer: '*', elsewhere: '*' },
    peerDependenciesMeta: { elsewhere: { optional: true } },
  },
  'node_modules/tool/node_modules/deep': { version: '2.0.0', integrity: 'sha512-deeper' },
  'node_modules/peer': { version: '1.0.0', integrity: 'sha512-peer', dependencies: { tool: '*' } },
};

const manifest = {
  name: 'images',
  version: '0.1.0',
  description: 'not in a lockfile',
  engines: { node: '>=20.19' },
  dependencies: { '@own/sdk': '2.0.0' },
  devDependencies: { tool: '3.0.0' },
};
const lockOf = (tarballs: LockOptions['tarballs'] = new Map()) =>
  JSON.parse(npmLockText(JSON.stringify(manifest), { table, tarballs, registry: 'https://npm.example' })) as {
    readonly packages: Readonly<Record<string, object>>;
  };

describe('the lockfile of a project', () => {
  it('is one of npm’s, of that project', () => {
    const { packages, ...head } = lockOf();
    expect(head).toEqual({ name: 'images', version: '0.1.0', lockfileVersion: 3, requires: true });
    const { description: _, ...root } = manifest;
    expect(packages['']).toEqual(root);
  });

  it('has what its packages need, each where Node finds it, and nothing else', () => {
    const { '': _, ...packages } = lockOf().packages;
    expect(Object.keys(packages).sort()).toEqual([
      'node_modules/@scope/both',
      'node_modules/deep',
      'node_modules/peer',
      'node_modules/tool',
      'node_modules/tool/node_modules/deep',
    ]);
  });

  it('says which of them are left out in production', () => {
    const { packages } = lockOf();
    const inProduction = Object.keys(packages).filter((place) => !('dev' in (packages[place] ?? {})));
    expect(inProduction).toEqual(['', 'node_modules/deep']);
  });

  it('names where npm fetches what it can prove by its hash, and leaves the others to be looked up', () => {
    const { packages } = lockOf();
    expect(packages['node_modules/@scope/both']).toEqual({
      version: '1.0.0',
      resolved: 'https://npm.example/@scope/both/-/both-1.0.0.tgz',
      integrity: 'sha512-both',
      dev: true,
    });
    expect(packages['node_modules/deep']).toMatchObject({ license: 'MIT' });
    expect(packages).not.toHaveProperty(['node_modules/@own/sdk']);
  });

  it('takes what the project brings along from there', () => {
    const tarball = { path: 'vendor/own-sdk-2.0.0.tgz', integrity: 'sha512-own' };
    const { packages } = lockOf(new Map([['@own/sdk', tarball]]));
    expect(packages['node_modules/@own/sdk']).toEqual({
      version: '2.0.0',
      resolved: 'file:vendor/own-sdk-2.0.0.tgz',
      integrity: 'sha512-own',
      dependencies: { deep: '^1.0.0' },
    });
  });
});
