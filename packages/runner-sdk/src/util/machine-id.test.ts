import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readMachineId } from './machine-id.js';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'machine-id-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
const isAny = (text: string): boolean => text !== '';

test('an id is made once, in a folder that is made for it, and is its user’s alone', () => {
  const folder = join(temporaryFolder(), 'a', 'b');
  const made = readMachineId(folder, isAny);
  expect(readMachineId(folder, isAny)).toBe(made);
  expect(readFileSync(join(folder, 'machine-id'), 'utf8')).toBe(made);
  expect(readdirSync(folder)).toEqual(['machine-id']);
  expect(statSync(join(folder, 'machine-id')).mode & 0o777).toBe(0o600);
});

test('an id that is there is taken without what stands around it; what is none is replaced', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'machine-id'), ' of another\n');
  expect(readMachineId(folder, isAny)).toBe('of another');
  expect(readMachineId(folder, (text) => !text.includes(' '))).toMatch(/^[0-9a-f-]{36}$/);
});
