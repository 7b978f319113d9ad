import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createFileRoom, type ArrivedFile, type FileRoom } from './file-room.js';

const folders: string[] = [];
const inFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'jobforge-'));
  folders.push(folder);
  return folder;
};
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of body) text += Buffer.from(chunk).toString();
  return text;
}

async function keep(room: FileRoom, jobId: string, text: string): Promise<ArrivedFile> {
  const arrived = await room.receive(jobId, chunks(text), 9);
  await arrived.keep();
  return arrived;
}

async function listed(ids: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const id of ids) all.push(id);
  return all.sort();
}

describe('a room of files', () => {
  it('keeps what comes in pieces under its SHA-256, and gives it back over a restart', async () => {
    const folder = inFolder();
    const arrived = await createFileRoom(folder).receive('a:1', chunks('one ', 'two'), 100);
    const { sha256, bytes } = arrived;
    expect([sha256, bytes]).toEqual([createHash('sha256').update('one two').digest('hex'), 7]);
    const again = createFileRoom(folder);
    await expect(textOf(again.read('a:1', sha256))).rejects.toThrow(/ENOENT/);
    await arrived.keep();
    expect(await textOf(again.read('a:1', sha256))).toBe('one two');
    await expect(textOf(again.read('other', sha256))).rejects.toThrow(/ENOENT/);
  });

  it('refuses what is too large, or breaks off, and leaves nothing of it', async () => {
    const folder = inFolder();
    const room = createFileRoom(folder);
    await expect(room.receive('a', chunks('12345', '67890'), 9)).rejects.toThrow(/more than 9 bytes/);
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half');
      throw new Error('hung up');
    }
    await expect(room.receive('a', breaking(), 9)).rejects.toThrow('hung up');
    await (await room.receive('a', chunks('unwanted'), 9)).discard();
    const [job = ''] = readdirSync(folder);
    expect(readdirSync(join(folder, job))).toEqual(['job']);
    const { sha256 } = await keep(room, 'a', '123456789');
    expect(readdirSync(join(folder, job)).toSorted()).toEqual([sha256, 'job'].toSorted());
    for (let times = 0; times < 2; times += 1) await room.removeFile('a', sha256);
    expect(readdirSync(join(folder, job))).toEqual(['job']);
  });

  it('forgets what stopped on its way in, once that is old', async () => {
    const folder = inFolder();
    const room = createFileRoom(folder);
    await room.receive('a', chunks('given up'), 9);
    const { sha256 } = await keep(room, 'a', 'kept');
    const [job = ''] = readdirSync(folder);
    const names = (): string[] => readdirSync(join(folder, job)).toSorted();
    await room.removeUnfinished('a', Date.now() - 3_600_000);
    expect(names()).toHaveLength(3);
    await room.removeUnfinished('a', Date.now() + 3_600_000);
    expect(names()).toEqual([sha256, 'job'].toSorted());
    await room.removeUnfinished('nobody', 0);
  });

  it('knows which jobs have files, and forgets those of one', async () => {
    const room = createFileRoom(inFolder());
    expect(await listed(room.jobs())).toEqual([]);
    await keep(room, 'a:1', 'x');
    await keep(room, 'B', 'x');
    expect(await listed(room.jobs())).toEqual(['B', 'a:1']);
    await room.remove('a:1');
    expect(await listed(room.jobs())).toEqual(['B']);
  });

  it('without a folder keeps files for as long as it is open', async () => {
    const room = createFileRoom(undefined);
    expect(await listed(room.jobs())).toEqual([]);
    const { sha256 } = await keep(room, 'a', 'x');
    expect(await textOf(room.read('a', sha256))).toBe('x');
    await room.close();
    await expect(textOf(room.read('a', sha256))).rejects.toThrow(/ENOENT/);
  });

  it('is closed while files come and go', async () => {
    const room = createFileRoom(undefined);
    await keep(room, 'a', 'x');
    const coming = Array.from({ length: 200 }, async () => {
      const arrived = await room.receive('a', chunks('x', 'y', 'z'), 9);
      await arrived.discard();
    });
    await room.close();
    // Whether one was taken in still depends on when it came.
    await Promise.allSettled(coming);
    await room.close();
  });
});
