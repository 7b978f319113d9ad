import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type * as Driver from '../store/sqlite-driver.js';
import { createManualClock } from '../testing/manual-clock.js';
import { openForges } from '../testing/open-forge.js';

/** The engine's own limits stand for a disk without room, and for one that may not be written to. */
const disk = vi.hoisted(() => ({
  databases: [] as Driver.SqliteDatabase[],
  begun: 0,
}));
vi.mock('../store/sqlite-driver.js', async (original) => {
  const driver = await original<typeof Driver>();
  return {
    async openSqlite(location: string) {
      const database = await driver.openSqlite(location);
      const prepare = (sql: string): Driver.SqliteStatement => {
        const statement = database.prepare(sql);
        if (sql !== 'BEGIN IMMEDIATE') return statement;
        const run: typeof statement.run = (...values) => {
          disk.begun += 1;
          return statement.run(...values);
        };
        return { run, all: statement.all.bind(statement), get: statement.get.bind(statement) };
      };
      disk.databases.push(database);
      return { prepare, exec: (sql: string) => database.exec(sql), close: () => database.close() };
    },
  };
});

const test = openForges();
const folders: string[] = [];
const healing: (() => void)[] = [];
afterEach(async () => {
  for (const heal of healing.splice(0)) heal();
  await test.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const RETRY_MS = 500;

const TROUBLES = [
  {
    name: 'whose disk is full',
    begin: ({ exec, prepare }: Driver.SqliteDatabase): void => {
      const count = prepare('PRAGMA page_count').get()?.['page_count'];
      exec(`PRAGMA max_page_count = ${Number(count)}`);
    },
    end: ({ exec }: Driver.SqliteDatabase): void => exec('PRAGMA max_page_count = 1000000'),
    says: 'database or disk is full',
  },
  {
    name: 'that may not be written to',
    begin: ({ exec }: Driver.SqliteDatabase): void => exec('PRAGMA query_only = ON'),
    end: ({ exec }: Driver.SqliteDatabase): void => exec('PRAGMA query_only = OFF'),
    says: 'attempt to write a readonly database',
  },
] as const;

/** Larger than what is left in the pages that a store has. */
const LARGE = 'x'.repeat(100_000);

describe.each(TROUBLES)('a store $name', ({ begin, end, says }) => {
  const setUp = async () => {
    const folder = mkdtempSync(join(tmpdir(), 'jobforge-'));
    folders.push(folder);
    const clock = createManualClock(Date.now());
    const store = `sqlite:${join(folder, 'jobs.db')}`;
    const forge = await test.forge({ store, clock, listen: { host: '127.0.0.1', port: 0 } });
    const runner = await test.runner({ form: 'ndjson', handle: ({ accept }) => accept() });
    await forge.operations.registerRunner(runner.registration({ maxConcurrency: 1 }));
    const database = disk.databases.at(-1);
    if (database === undefined) throw new Error('no database was opened');
    const bound: Driver.SqliteDatabase = {
      exec: (sql) => database.exec(sql),
      prepare: (sql) => database.prepare(sql),
      close: () => undefined,
    };
    const post = async (id: string): Promise<{ status: number; body: unknown }> => {
      const payload = { type: 'echo', data: { text: LARGE } };
      const response = await fetch(`${forge.url}/jobs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id, type: 'echo', payload }),
      });
      return { status: response.status, body: await response.json() };
    };
    const health = async () => {
      const response = await fetch(`${forge.url}/health`);
      return { status: response.status, body: await response.json() };
    };
    return { forge, runner, clock, bound, post, health };
  };

  it('refuses what is submitted and says why, keeps what ends meanwhile, and goes on by itself', async () => {
    const { forge, runner, clock, bound, post, health } = await setUp();
    const running = await forge.submit({ capability: 'echo', input: { text: 'runs' } });
    const waiting = await forge.submit({ capability: 'echo', input: { text: 'waits' } });
    const execution = await runner.execution(0);
    await expect.poll(async () => (await running.show()).status, { timeout: 15_000 }).toBe('running');
    begin(bound);
    // Whatever the test comes to: what is kept is written before JobForge stops.
    const heal = (): void => end(bound);
    healing.push(() => {
      heal();
      clock.advance(RETRY_MS);
    });

    expect(await post('refused')).toMatchObject({
      status: 503,
      body: {
        success: false,
        error: {
          code: 'STORE_UNAVAILABLE',
          retryable: true,
          message: `The store could not be written: ${says}.`,
        },
      },
    });
    expect(await health()).toMatchObject({
      status: 503,
      body: { status: 'unhealthy', checks: [{ name: 'store', message: says }] },
    });

    // What ends where it runs waits to be written, and so does the lease of whatever gets its slot.
    expect((await waiting.show()).waitingFor).toBeDefined();
    execution.succeed(LARGE);
    await expect.poll(async () => (await waiting.show()).waitingFor, { timeout: 15_000 }).toBeUndefined();
    const begun = disk.begun;
    for (let tries = 0; tries < 20; tries += 1) {
      clock.advance(RETRY_MS);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(disk.begun - begun).toBeLessThan(60);
    expect(runner.posts).toBe(1);
    expect((await waiting.show()).attempts).toBe(0);

    heal();
    clock.advance(RETRY_MS);
    expect(await running.result()).toMatchObject({ success: true, data: LARGE });
    (await runner.execution(1)).succeed('next');
    expect(await waiting.result()).toMatchObject({ data: 'next', metadata: { attempts: 1 } });
    expect((await post('refused')).status).toBe(202);
    expect(await health()).toMatchObject({ status: 200, body: { status: 'healthy' } });
  });
});
