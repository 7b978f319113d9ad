import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ALLOWED_EDGES, FORBIDDEN_EDGES, ROUND_TRIP, type Edge } from './import-rules/edges.js';

const repository = resolve(import.meta.dirname, '..');
const rules: { name: string }[] = createRequire(import.meta.url)(
  join(repository, '.dependency-cruiser.cjs'),
).forbidden;

const PACKAGES = [
  'contracts',
  'runner-sdk',
  'capabilities',
  'runner',
  'jobforge',
  'contract-test-kit',
  'dashboard',
];
const FOREIGN = ['zod', 'zod-to-json-schema', 'express', 'ky', 'ws', '@opentelemetry/api', 'left-pad'];
const DECLARED = Object.fromEntries(
  [...FOREIGN.slice(0, -1), '@controlplane/contracts'].map((name) => [name, '*']),
);

interface Violation {
  rule: string;
  from: string;
  to: string;
}

let tree: string;
let violations: Violation[];

function write(path: string, text: string): void {
  const file = join(tree, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { flag: 'a' });
}

function writeLibrary(folder: string, name: string, dependencies: Record<string, string> = {}): void {
  write(
    `${folder}/package.json`,
    JSON.stringify({ name, version: '1.0.0', main: './dist/index.js', dependencies }),
  );
  write(`${folder}/dist/index.js`, 'module.exports = {};');
}

/** `from` imports `to`: a path of the tree (made when it is missing) or a bare name. */
function writeEdge({ from, to, as = 'value' }: Edge): void {
  const specifier =
    to.includes('/src/') || to.includes('.mjs') ? `${up(from)}${to.replace(/\.ts$/, '.js')}` : to;
  if (to.endsWith('.ts')) write(to, '');
  write(from, as === 'type' ? `import type {} from '${specifier}';\n` : `import '${specifier}';\n`);
}

const up = (file: string): string => '../'.repeat(file.split('/').length - 1);

function cruise(): Violation[] {
  const depcruise = join(repository, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = [
    depcruise,
    'packages',
    '--config',
    join(repository, '.dependency-cruiser.cjs'),
    '--output-type',
    'json',
  ];
  writeFileSync(join(tree, 'tsconfig.base.json'), '{}');
  const output = execFileSync(process.execPath, args, {
    cwd: tree,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const { summary } = JSON.parse(output) as {
    summary: { violations: { from: string; to: string; rule: { name: string } }[] };
  };
  return summary.violations.map((found) => ({ rule: found.rule.name, from: found.from, to: found.to }));
}

beforeAll(() => {
  tree = realpathSync(mkdtempSync(join(tmpdir(), 'import-rules-')));
  write('package.json', JSON.stringify({ name: 'tree', private: true }));
  for (const name of FOREIGN) writeLibrary(`node_modules/${name}`, name);
  for (const name of PACKAGES) {
    writeLibrary(`packages/${name}`, `@controlplane/${name}`, DECLARED);
    mkdirSync(join(tree, 'node_modules/@controlplane'), { recursive: true });
    symlinkSync(join(tree, 'packages', name), join(tree, 'node_modules/@controlplane', name));
  }
  [...FORBIDDEN_EDGES, ROUND_TRIP, ...ALLOWED_EDGES].forEach(writeEdge);
  violations = cruise();
}, 60_000);

afterAll(() => rmSync(tree, { recursive: true, force: true }));

describe('import rules', () => {
  test.each(FORBIDDEN_EDGES)('$rule refuses $from → $to', ({ rule, from }) => {
    expect(violations.filter((found) => found.from === from).map((found) => found.rule)).toContain(rule);
  });

  test.each(ALLOWED_EDGES)('$from → $to ($as) is allowed', ({ from }) => {
    expect(violations.filter((found) => found.from === from)).toEqual([]);
  });

  test('every rule is shown to refuse something', () => {
    const shown = new Set(FORBIDDEN_EDGES.map(({ rule }) => rule));
    expect(rules.map((rule) => rule.name).filter((name) => !shown.has(name))).toEqual([]);
  });
});
