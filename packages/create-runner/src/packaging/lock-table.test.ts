import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { TEMPLATE_PACKAGES } from '../project/template-versions.js';
import { lockTable } from './lock-table.js';

const path = (relative: string): string => fileURLToPath(new URL(`../../${relative}`, import.meta.url));
const { catalog } = parse(readFileSync(path('../../pnpm-workspace.yaml'), 'utf8')) as {
  readonly catalog: Readonly<Record<string, string>>;
};
const { version } = JSON.parse(readFileSync(path('package.json'), 'utf8')) as { readonly version: string };
const named = Object.fromEntries([
  ...TEMPLATE_PACKAGES.catalog.map((name) => [name, catalog[name] ?? '']),
  ...TEMPLATE_PACKAGES.own.map((name) => [name, version]),
]);
const tableOf = (changed: Readonly<Record<string, string>> = {}) =>
  lockTable({
    templates: path('../../templates'),
    packages: path('..'),
    catalog: { ...catalog, ...changed },
    named,
  });

describe('what npm resolved the packages of projects to', () => {
  it('has ours as they are published, with what they need of one another', () => {
    expect(tableOf()['node_modules/@controlplane/jobforge']).toMatchObject({
      version,
      bin: { jobforge: 'bin/jobforge.js' },
      dependencies: { '@controlplane/contracts': `^${version}`, express: catalog['express'] },
    });
  });

  it('has a hash for every package of others', () => {
    const others = Object.entries(tableOf()).filter(([place]) => !place.includes('@controlplane/'));
    expect(others.length).toBeGreaterThan(100);
    for (const [place, { integrity }] of others) expect(integrity, place).toMatch(/^sha512-/);
  });

  it('is refused when the catalog has changed since, with what brings it up to date', () => {
    expect(() => tableOf({ express: '99.0.0' })).toThrow(
      /express .*projects have 99\.0\.0\. Run: pnpm --filter create-runner lock/,
    );
  });
});
