import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openSqlite } from './sqlite-driver.js';
import { openSqliteStore } from './sqlite-store.js';
import { storeSuite } from './store.suite.js';

const folders: string[] = [];
function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'jobforge-'));
  folders.push(folder);
  return join(folder, 'data', 'jobs.db');
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

storeSuite('SQLite in memory', () => openSqliteStore({ location: ':memory:' }));
storeSuite('SQLite file', () => openSqliteStore({ location: newFile() }));

const insertion = (id: string, input = '{}') =>
  ({
    kind: 'insert-job',
    id,
    type: 't',
    head: '{}',
    input,
    createdAt: 1,
    state: 'queued',
    lease: undefined,
  }) as const;

describe('a SQLite file', () => {
  it.skipIf(process.platform === 'win32')(
    'belongs to its user alone, with its folder where it made that',
    async () => {
      const location = newFile();
      const folder = dirname(location);
      const store = await openSqliteStore({ location });
      await store.commit([insertion('a')]);
      const modes = readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mode & 0o777]);
      expect(Object.fromEntries(modes)).toEqual({ 'jobs.db': 0o600, 'jobs.db-wal': 0o600 });
      expect(statSync(folder).mode & 0o777).toBe(0o700);
      await store.close();

      const given = newFile();
      mkdirSync(dirname(given));
      chmodSync(dirname(given), 0o755);
      await (await openSqliteStore({ location: given })).close();
      expect(statSync(dirname(given)).mode & 0o777).toBe(0o755);
    },
  );

  it('refuses a second JobForge in one clear sentence', async () => {
    const location = newFile();
    const store = await openSqliteStore({ location });
    await store.commit([insertion('a')]);
    await expect(openSqliteStore({ location })).rejects.toMatchObject({
      envelope: {
        code: 'STORE_UNAVAILABLE',
        message: `${location} is in use by another JobForge.`,
        remedy: 'Stop that one, or choose another data folder.',
        retryable: false,
        causes: [{ message: expect.stringContaining('locked') as string }],
      },
    });
    await store.close();
    await (await openSqliteStore({ location })).close();
  });

  it('keeps what was committed when its process is killed', async () => {
    const location = newFile();
    const module = createRequire(import.meta.url).resolve('@photostructure/sqlite');
    // The same statements as the store's, in a process that never closes the file.
    const script = `
      const { DatabaseSync } = require(${JSON.stringify(module)});
      const database = new DatabaseSync(${JSON.stringify(location)});
      database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
      database.prepare("INSERT INTO jobs (id, type, head, input, created_at, state) VALUES ('killed', 't', '{}', '{}', 1, 'queued')").run();
      process.kill(process.pid, 'SIGKILL');`;
    const store = await openSqliteStore({ location });
    await store.close();
    const { signal, stderr } = spawnSync(process.execPath, ['-e', script]);
    expect(stderr.toString()).toBe('');
    expect(signal).toBe('SIGKILL');
    const again = await openSqliteStore({ location });
    expect(await again.loadJob('killed')).toMatchObject({ id: 'killed' });
    await again.close();
  });

  it('refuses a file of a newer version', async () => {
    const location = newFile();
    await (await openSqliteStore({ location })).close();
    const database = await openSqlite(location);
    database.exec('PRAGMA user_version = 99');
    database.close();
    await expect(openSqliteStore({ location })).rejects.toThrow(/store version 99.*newer JobForge/);
  });

  it('writes over its log instead of letting it grow', async () => {
    const location = newFile();
    const store = await openSqliteStore({ location });
    const input = JSON.stringify({ text: 'x'.repeat(100_000) });
    for (let round = 0; round < 60; round += 1) {
      await store.commit(Array.from({ length: 20 }, (_, index) => insertion(`${round}-${index}`, input)));
    }
    expect(statSync(`${location}-wal`).size).toBeLessThan(40 * 1024 * 1024);
    await store.close();
  });

  it('survives text with every kind of character', async () => {
    const location = newFile();
    const store = await openSqliteStore({ location });
    const input = JSON.stringify({ text: 'snow ☃ 😀 nul \u0000 quote " tab \t' });
    await store.commit([insertion('a', input)]);
    expect((await store.loadJob('a'))?.input).toBe(input);
    await store.close();
  });
});
