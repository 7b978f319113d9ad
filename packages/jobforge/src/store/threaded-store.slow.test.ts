import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { ending, insertion } from './sample-operations.fixture.js';
import { storeSuite } from './store.suite.js';
import type { Store } from './store.js';
import { openThreadedStore } from './threaded-store.js';

/** A thread runs what was built. */
const program = new URL('../../dist/store-thread.js', import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'threaded-store-'));
let files = 0;
const newFile = (): string => join(folder, `${(files += 1)}.db`);
const open = (location: string): Promise<Store> => openThreadedStore(program, { location });

afterAll(() => rmSync(folder, { recursive: true }));

storeSuite('SQLite in a thread', () => open(newFile()));

describe('a store in a thread', () => {
  it('gives back after a restart what it was given', async () => {
    const location = newFile();
    const store = await open(location);
    const outcomes = await store.commit([
      insertion('a', { lease: 'held' }),
      insertion('a'),
      insertion('b', { state: 'pending' }),
      ending(1, { startedAt: undefined, error: '{}' }),
      { kind: 'put-runner', id: 'r', record: '{}' },
    ]);
    expect(outcomes).toEqual([{ seq: 1 }, 'exists', { seq: 2 }, 'done', 'done']);
    await store.close();
    const again = await open(location);
    const { kind: _kind, seq: _seq, ...end } = ending(1, { startedAt: undefined, error: '{}' });
    expect(await again.loadJob('a')).toMatchObject({ seq: 1, lease: 'held', end });
    expect(await again.loadJob('b')).toMatchObject({ state: 'pending', lease: undefined, end: undefined });
    expect(await again.loadRunners()).toEqual([{ id: 'r', record: '{}' }]);
    await again.close();
  });

  it('refuses a batch that cannot be written, in the words of its engine, and goes on', async () => {
    const store = await open(newFile());
    const broken = insertion('a', { input: null as unknown as string });
    await expect(store.commit([insertion('b'), broken])).rejects.toThrow(/NOT NULL/);
    expect(await store.commit([insertion('b')])).toEqual([{ seq: 1 }]);
    await store.close();
  });

  it('refuses a file that another has, as the store itself does', async () => {
    const location = newFile();
    const store = await open(location);
    await expect(open(location)).rejects.toMatchObject({
      envelope: { code: 'STORE_UNAVAILABLE', message: `${location} is in use by another JobForge.` },
    });
    await store.close();
  });

  it('serves a process whatever flags that was started with, and is closed before it ends', async () => {
    const folderUrl = pathToFileURL(folder).href;
    const run = promisify(execFile);
    const dist = new URL('../../dist/index.js', import.meta.url).href;
    const script = `
      import { createJobForge } from ${JSON.stringify(dist)};
      const location = new URL('process.db', ${JSON.stringify(`${folderUrl}/`)}).pathname;
      const forge = await createJobForge({ store: 'sqlite:' + location, listen: { port: 0 } }).start();
      await forge.stop();
      console.log('closed');`;
    // Ended before its store was closed, a process would end with 13: what it waits for never comes.
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout).toBe('closed\n');
  });

  it('answers what was asked before it is closed, and refuses what comes later', async () => {
    const store = await open(newFile());
    const written = store.commit([insertion('a')]);
    await Promise.all([written, store.close()]);
    expect(await written).toEqual([{ seq: 1 }]);
    await expect(store.loadJob('a')).rejects.toThrow(/thread of the store has ended/);
  });
});
