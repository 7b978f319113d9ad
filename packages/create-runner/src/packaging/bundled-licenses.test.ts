import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bundledLicenses } from './bundled-licenses.js';

let room: string;

beforeEach(() => (room = mkdtempSync(join(tmpdir(), 'licenses-'))));
afterEach(() => rmSync(room, { recursive: true, force: true }));

const addPackage = (name: string, files: Record<string, string>): string => {
  const folder = join(room, 'node_modules', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0', license: 'MIT' }));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return folder;
};

it('names every bundled package once, with the text of its license', () => {
  const b = addPackage('b', { LICENSE: 'Copyright B' });
  const a = addPackage('@scope/a', { 'license.md': 'Copyright A' });
  const text = bundledLicenses(['src/cli.ts', `${b}/x.js`, `${b}/lib/y.js`, `${a}/index.js`]);
  expect(text.match(/^\S+ 1\.0\.0 \(MIT\)$/gm)).toEqual(['@scope/a 1.0.0 (MIT)', 'b 1.0.0 (MIT)']);
  expect(text).toContain('Copyright A');
  expect(text).toContain('Copyright B');
});

it('says which license a package names that ships no text', () => {
  expect(bundledLicenses([`${addPackage('bare', {})}/index.js`])).toContain('License: MIT');
});
