/**
 * @module
 * files/ keeps the bytes that jobs bring and leave: a folder a job, each file under its SHA-256. It knows neither
 * executions nor the store, and imports node:* alone.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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

/** Files of jobs. */
export interface FileRoom {
  /** Takes in a body as it comes. Rejects with {@link FileTooLarge} as soon as that is known. */
  receive(jobId: string, body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<ArrivedFile>;
  /** Reads a file that was kept; fails where it is not there. */
  read(jobId: string, sha256: string): AsyncIterable<Uint8Array>;
  /** Ids of the jobs that have files. */
  jobs(): AsyncIterable<string>;
  /** Forgets a file of a job; what is not there is no error. */
  removeFile(jobId: string, sha256: string): Promise<void>;
  /** Forgets all files of a job. */
  remove(jobId: string): Promise<void>;
  /** Forgets everything where the room was for this process alone. */
  close(): Promise<void>;
}

/** Says whose folder it is: ids may hold what a file's name must not. */
const OWNER = 'job';

const folderName = (jobId: string): string => createHash('sha256').update(jobId).digest('hex').slice(0, 32);

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

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

/**
 * Opens a room in a folder, which is made when the first file comes.
 * @param folder - undefined for one of this process alone, which goes with it
 */
export function createFileRoom(folder: string | undefined): FileRoom {
  let own: Promise<string> | undefined;
  const root = (): Promise<string> =>
    folder === undefined ? (own ??= mkdtemp(join(tmpdir(), 'jobforge-files-'))) : Promise.resolve(folder);

  return {
    async receive(jobId, body, maxBytes) {
      const place = join(await root(), folderName(jobId));
      await mkdir(place, { recursive: true, mode: 0o700 });
      await writeFile(join(place, OWNER), jobId, { mode: 0o600 });
      const arriving = join(place, `${randomUUID()}.part`);
      const discard = (): Promise<void> => rm(arriving, { force: true });
      try {
        const written = await write(arriving, body, maxBytes);
        return { ...written, keep: () => rename(arriving, join(place, written.sha256)), discard };
      } catch (error) {
        await discard();
        throw error;
      }
    },
    async *read(jobId, sha256) {
      yield* createReadStream(join(await root(), folderName(jobId), sha256)) as AsyncIterable<Buffer>;
    },
    async *jobs() {
      if (folder === undefined && own === undefined) return;
      const path = await root();
      let names: string[];
      try {
        names = await readdir(path);
      } catch (error) {
        if (isMissing(error)) return;
        throw error;
      }
      for (const name of names) {
        try {
          yield await readFile(join(path, name, OWNER), 'utf8');
        } catch (error) {
          if (!isMissing(error)) throw error;
        }
      }
    },
    removeFile: async (jobId, sha256) => rm(join(await root(), folderName(jobId), sha256), { force: true }),
    remove: async (jobId) => rm(join(await root(), folderName(jobId)), { recursive: true, force: true }),
    async close() {
      if (own !== undefined) await rm(await own, { recursive: true, force: true });
    },
  };
}
