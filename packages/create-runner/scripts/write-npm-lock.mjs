// Writes templates/npm-lock.json: what npm resolves the packages of projects to, at the versions of the catalog. Asks the
// registry; `pnpm --filter create-runner lock` after the catalog has changed.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (...path) => readFileSync(join(root, ...path), 'utf8');
const { catalog } = parse(read('pnpm-workspace.yaml'));

/** What the manifests of the templates name: packages of ours, and others. */
function namedByTemplates() {
  const manifests = readdirSync(join(root, 'templates'), { recursive: true }).filter((file) =>
    file.endsWith('package.json.hbs'),
  );
  const texts = manifests.map((file) => read('templates', file)).join('\n');
  return [...texts.matchAll(/\{\{\{version '([^']+)'\}\}\}/g)].map(([, name]) => name);
}

/** Packages that are not ours, of these and of those of ours among them. */
function others(names, seen = new Set()) {
  return names.flatMap((name) => {
    if (seen.has(name)) return [];
    seen.add(name);
    if (!name.startsWith('@controlplane/')) return [name];
    const { dependencies = {} } = JSON.parse(read('packages', name.split('/')[1], 'package.json'));
    return others(Object.keys(dependencies), seen);
  });
}

const dependencies = Object.fromEntries(
  others(namedByTemplates())
    .sort()
    .map((name) => [name, catalog[name]]),
);
const folder = mkdtempSync(join(tmpdir(), 'npm-lock-'));
try {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  const quietly = ['--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['install', ...quietly], { cwd: folder, stdio: 'inherit' });
  const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
  delete packages[''];
  // Where a registry has them is said when a project is made; who wants money is asked of the registry.
  for (const entry of Object.values(packages)) for (const key of ['resolved', 'funding']) delete entry[key];
  writeFileSync(join(root, 'templates/npm-lock.json'), `${JSON.stringify({ packages }, null, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
