/**
 * @module
 * files/ keeps the bytes that jobs bring and leave: a folder a job, each file under its SHA-256. It knows neither
 * executions nor the store, and imports node:* alone.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, mkdtempSync, statSync } from 'node:fs';
import {
  copyFile,
  link,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { makeFolder, syncFolder } from './lasting-folder.js';

/** A file that has come in, and is on disk under a name that nobody knows. One of the two is called. */
export interface ArrivedFile {
  readonly sha256: string;
  readonly bytes: number;
  /** Puts it where it is found by its SHA-256; where that is there already it is the same. */
  keep(): Promise<void>;
  discard(): Promise<void>;
}

/** The body was larger than it may be. */
export class FileTooLarge extends Error {
  override readonly name = 'FileTooLarge';
}

/** A file that is there. */
export interface KeptFile {
  readonly sha256: string;
  readonly bytes: number;
  /** When it came, or was asked for last. */
  readonly at: number;
  /** Another has the same bytes on the disk: see {@link FileRoom.adopt}. False also where the disk cannot tell. */
  readonly isAdopted: boolean;
}

/** Files of jobs, or of others: ids are whatever their owners are known by. */
export interface FileRoom {
  /** Takes in a body as it comes. Rejects with {@link FileTooLarge} as soon as that is known. */
  receive(jobId: string, body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<ArrivedFile>;
  /** Reads a file that was kept; fails where it is not there. */
  read(jobId: string, sha256: string): AsyncIterable<Uint8Array>;
  /** Undefined where it is not there. */
  find(jobId: string, sha256: string): Promise<KeptFile | undefined>;
  /**
   * The bytes of a file, undefined where it is not there. Asks the disk before it returns: for what is decided in one
   * turn, and seldom.
   */
  sizeOf(jobId: string, sha256: string): number | undefined;
  /** All files of a job. */
  list(jobId: string): Promise<readonly KeptFile[]>;
  /** Notes that a file is asked for. */
  touch(jobId: string, sha256: string, at: number): Promise<void>;
  /** Keeps a file of another room here too: the same bytes on the disk where that can be. False where it is not there. */
  adopt(
    jobId: string,
    sha256: string,
    from: { readonly room: FileRoom; readonly owner: string },
  ): Promise<boolean>;
  /** Where a file is, or would be. */
  pathOf(jobId: string, sha256: string): string;
  /** Ids of the jobs that have files. */
  jobs(): AsyncIterable<string>;
  /** Forgets a file of a job; what is not there is no error. */
  removeFile(jobId: string, sha256: string): Promise<void>;
  /** Forgets what began to come before a time, and neither arrived nor was given up: its process ended. */
  removeUnfinished(jobId: string, before: number): Promise<void>;
  /** Forgets all files of a job. */
  remove(jobId: string): Promise<void>;
  /** Forgets everything where the room was for this process alone. */
  close(): Promise<void>;
}

/** Removes a folder, again where something that was breaking off still came or went in it: for 5 s. */
const WHOLE = { recursive: true, force: true, maxRetries: 10 } as const;

/** Says whose folder it is: ids may hold what a file's name must not. */
const OWNER = 'job';
/** How the names of files end that have not arrived. */
const ARRIVING = '.part';

const folderName = (jobId: string): string => createHash('sha256').update(jobId).digest('hex').slice(0, 32);

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

const isSha256 = (name: string): boolean => /^[0-9a-f]{64}$/.test(name);

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Copies a file, so that what has its name is whole. */
async function copy(source: string, path: string): Promise<void> {
  const arriving = `${path}.${randomUUID()}${ARRIVING}`;
  await copyFile(source, arriving);
  const file = await open(arriving, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(arriving, path);
}

/** One file under two names, where the file system can; else two files. What is there already is the same. */
async function linkOrCopy(source: string, path: string): Promise<true> {
  try {
    await link(source, path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') throw error;
    if (code !== 'EEXIST') await copy(source, path);
  }
  await syncFolder(dirname(path));
  return true;
}

/** Writes a body to a file that nobody knows yet, and counts and hashes it on the way. */
async function write(
  path: string,
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Pick<ArrivedFile, 'sha256' | 'bytes'>> {
  const file = await open(path, 'wx', 0o600);
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw new FileTooLarge(`more than ${maxBytes} bytes`);
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    await file.sync();
    return { sha256: hash.digest('hex'), bytes };
  } finally {
    await file.close();
  }
}

/** Takes a body into a folder. */
async function receive(
  place: string,
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<ArrivedFile> {
  const arriving = join(place, `${randomUUID()}${ARRIVING}`);
  const discard = (): Promise<void> => rm(arriving, { force: true });
  try {
    const written = await write(arriving, body, maxBytes);
    const keep = async (): Promise<void> => {
      await rename(arriving, join(place, written.sha256));
      await syncFolder(place);
    };
    return { ...written, keep, discard };
  } catch (error) {
    await discard();
    throw error;
  }
}

/** Forgets what began to come into a folder before a time, and is there under no name of its own. */
async function removeUnfinished(place: string, before: number): Promise<void> {
  for (const name of (await unlessMissing(readdir(place))) ?? []) {
    if (!name.endsWith(ARRIVING)) continue;
    const found = await unlessMissing(stat(join(place, name)));
    if (found !== undefined && found.mtimeMs < before) await rm(join(place, name), { force: true });
  }
}

/**
 * Opens a room in a folder, which is made when the first file comes.
 * @param folder - undefined for one of this process alone, which goes with it
 */
export function createFileRoom(folder: string | undefined): FileRoom {
  let own: string | undefined;
  const root = (): string => folder ?? (own ??= mkdtempSync(join(tmpdir(), 'jobforge-files-')));
  const placeOf = (jobId: string): string => join(root(), folderName(jobId));
  const pathOf = (jobId: string, sha256: string): string => join(placeOf(jobId), sha256);
  const openPlace = async (jobId: string): Promise<string> => {
    const place = placeOf(jobId);
    await makeFolder(place);
    const path = join(place, OWNER);
    if ((await unlessMissing(readFile(path, 'utf8'))) !== jobId)
      await writeFile(path, jobId, { mode: 0o600, flush: true });
    return place;
  };
  const find = async (jobId: string, sha256: string): Promise<KeptFile | undefined> => {
    const found = await unlessMissing(stat(pathOf(jobId, sha256)));
    return found && { sha256, bytes: found.size, at: found.mtimeMs, isAdopted: found.nlink > 1 };
  };

  return {
    pathOf,
    find,
    sizeOf: (jobId, sha256) => statSync(pathOf(jobId, sha256), { throwIfNoEntry: false })?.size,
    async list(jobId) {
      const names = (await unlessMissing(readdir(placeOf(jobId)))) ?? [];
      const found = await Promise.all(names.filter(isSha256).map((name) => find(jobId, name)));
      return found.filter((file) => file !== undefined);
    },
    async touch(jobId, sha256, at) {
      await unlessMissing(utimes(pathOf(jobId, sha256), at / 1000, at / 1000));
    },
    async adopt(jobId, sha256, { room, owner }) {
      const [source, place] = [room.pathOf(owner, sha256), await openPlace(jobId)];
      const path = join(place, sha256);
      return (await unlessMissing(linkOrCopy(source, path))) !== undefined;
    },
    receive: async (jobId, body, maxBytes) => receive(await openPlace(jobId), body, maxBytes),
    async *read(jobId, sha256) {
      yield* createReadStream(pathOf(jobId, sha256)) as AsyncIterable<Buffer>;
    },
    async *jobs() {
      if (folder === undefined && own === undefined) return;
      const path = root();
      for (const name of (await unlessMissing(readdir(path))) ?? []) {
        const owner = await unlessMissing(readFile(join(path, name, OWNER), 'utf8'));
        if (owner !== undefined) yield owner;
      }
    },
    removeFile: async (jobId, sha256) => rm(pathOf(jobId, sha256), { force: true }),
    removeUnfinished: (jobId, before) => removeUnfinished(placeOf(jobId), before),
    remove: async (jobId) => rm(placeOf(jobId), WHOLE),
    async close() {
      if (own !== undefined) await rm(own, WHOLE);
    },
  };
}
