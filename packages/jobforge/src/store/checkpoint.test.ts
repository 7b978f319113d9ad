import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import type * as Driver from './sqlite-driver.js';
import { openSqliteStore } from './sqlite-store.js';

const disk = vi.hoisted(() => ({ full: false, checkpoints: 0 }));
// A disk without room for the database file, where its log still has some: rare, and not to be had on demand.
vi.mock('./sqlite-driver.js', async (original) => {
  const driver = await original<typeof Driver>();
  return {
    async openSqlite(location: string) {
      const database = await driver.openSqlite(location);
      const prepare = (sql: string): Driver.SqliteStatement => {
        const statement = database.prepare(sql);
        if (!sql.includes('wal_checkpoint')) return statement;
        const all: typeof statement.all = (...values) => {
          disk.checkpoints += 1;
          if (disk.full) throw new Error('database or disk is full');
          return statement.all(...values);
        };
        return { all, get: statement.get.bind(statement), run: statement.run.bind(statement) };
      };
      return { prepare, exec: (sql: string) => database.exec(sql), close: () => database.close() };
    },
  };
});

const folder = mkdtempSync(join(tmpdir(), 'jobforge-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('a commit whose log cannot be folded back is a commit', async () => {
  const store = await openSqliteStore({ location: join(folder, 'jobs.db') });
  const input = JSON.stringify('x'.repeat(17 * 1024 * 1024));
  const row = {
    kind: 'insert-job',
    type: 't',
    head: '{}',
    createdAt: 1,
    state: 'queued',
    lease: undefined,
  } as const;
  disk.full = true;
  expect(await store.commit([{ ...row, id: 'a', input }])).toEqual([{ seq: 1 }]);
  expect(await store.commit([{ ...row, id: 'b', input: '{}' }])).toEqual([{ seq: 2 }]);
  expect(disk.checkpoints).toBe(1);
  disk.full = false;
  await store.commit([{ ...row, id: 'c', input }]);
  expect(disk.checkpoints).toBe(2);
  expect((await store.unfinishedJobs({ after: 0, limit: 5 })).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  await store.close();
});
