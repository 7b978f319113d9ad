import type { JobFile } from '@controlplane/contracts';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ContextFiles } from './context-files.js';

/** A file that the runner is to write for a thread or process. */
export interface WantedFile {
  readonly name: string;
  readonly path: string;
}

/**
 * The files of a job in a thread or process of its own: the runner fetches them, because it alone has the right to.
 * @param list - what the job names
 * @param ask - has the runner write one; resolves to what it says of it
 */
export function isolatedFiles(
  list: readonly JobFile[],
  ask: (wanted: WantedFile) => Promise<unknown>,
): ContextFiles {
  return {
    list: () => list,
    async *open(name) {
      const folder = await mkdtemp(join(tmpdir(), 'job-file-'));
      try {
        const path = join(folder, 'content');
        await ask({ name, path });
        yield* createReadStream(path) as AsyncIterable<Uint8Array>;
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    save: async (name, path) => (await ask({ name, path: resolve(path) })) as JobFile,
  };
}
