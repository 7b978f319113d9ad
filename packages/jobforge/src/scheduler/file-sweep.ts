import type { FileRoom } from '../files/file-room.js';
import type { FileRooms } from '../files/file-rooms.js';
import type { FileClaims } from './file-claims.js';
import type { LiveState } from './live-state.js';
import { reading } from './store-reads.js';

export interface FileSweepParts {
  readonly state: Pick<LiveState, 'store' | 'limits' | 'clock'>;
  readonly files: FileRooms;
  readonly claims: FileClaims;
  /** Forgets what a job has left, and what is written of it. */
  readonly forgetArtifacts: (jobId: string) => Promise<void>;
}

/** Forgets what callers have uploaded and no job has named for long. */
async function sweepUploads({ state, files: { uploads } }: FileSweepParts): Promise<void> {
  const before = state.clock.now() - state.limits.keepUploadsMs;
  for await (const owner of uploads.jobs()) {
    for (const { sha256, at } of await uploads.list(owner))
      if (at < before) await uploads.removeFile(owner, sha256);
    await uploads.removeUnfinished(owner, before);
  }
}

/**
 * Makes what forgets uploads that no job has named for long and, where jobs went, the files of those that are no longer
 * there. A job is believed to be gone once it was found missing twice, and nobody here or at another JobForge on the
 * store has claimed its files: they are there before it is. Resolves to how many jobs that were.
 */
export function createFileSweep(parts: FileSweepParts): (someWent: boolean) => Promise<number> {
  const { state, files, claims, forgetArtifacts } = parts;
  let missing = new Set<string>();
  /** The last look was cut off, or found what the next one decides about. */
  let isOpen = true;

  async function sweepJobs(): Promise<number> {
    const [found, gone] = [new Set<string>(), new Set<string>()];
    const look = async (room: FileRoom, forget: (jobId: string) => Promise<void>): Promise<void> => {
      for await (const jobId of room.jobs()) {
        if ((await reading(state.store.loadJob(jobId))) !== undefined) continue;
        if (missing.has(jobId) && (await claims.forget(jobId, () => forget(jobId)))) gone.add(jobId);
        else found.add(jobId);
      }
    };
    isOpen = true;
    await look(files.artifacts, forgetArtifacts);
    await look(files.carried, (jobId) => files.carried.remove(jobId));
    missing = found;
    isOpen = found.size > 0;
    return gone.size;
  }

  return async (someWent) => {
    await sweepUploads(parts);
    return someWent || isOpen ? sweepJobs() : 0;
  };
}
