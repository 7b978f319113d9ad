import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DUE, HOSTS, readRows, rowsPage } from './requirement-rows.js';

const rows = readRows();
const named = rows.map(({ id, host }) => `${id} at ${host}`);
const root = new URL('../../../', import.meta.url);

describe('what the kit demands of runners at control planes of other kinds', () => {
  it('has a row for each requirement and each of them, and no other', () => {
    const due = DUE.flatMap(({ id }) => HOSTS.map((host) => `${id} at ${host}`));
    expect(due.filter((one) => !named.includes(one))).toEqual([]);
    expect(named.filter((one) => !due.includes(one))).toEqual([]);
    expect(named.filter((one, index) => named.indexOf(one) !== index)).toEqual([]);
  });

  it('names tests that are there', () => {
    const missing = rows.filter(({ standing }) => {
      if (standing.kind !== 'test') return false;
      const file = new URL(standing.file, root);
      return !existsSync(file) || !readFileSync(file, 'utf8').includes(`'${standing.test}'`);
    });
    expect(missing).toEqual([]);
  });

  it('is in docs/hosts/kit.md (npx vitest run contract-tests/hosts/kit/requirement-rows.test.ts --update)', async () => {
    await expect(rowsPage(rows)).toMatchFileSnapshot('../../../docs/hosts/kit.md');
  });
});
