import type { FileRooms } from '../files/file-rooms.js';
import { createArtifacts, type ArtifactParts, type Artifacts } from './artifacts.js';
import { createFileClaims } from './file-claims.js';
import { toldRooms } from './file-failures.js';
import { createFileSweep } from './file-sweep.js';
import { createJobFiles, type JobFiles } from './job-files.js';
import { reading } from './store-reads.js';
import { createSubmissionFiles, type SubmissionFiles } from './submission-files.js';

/** Everything about the files of jobs. */
export interface FileDesk {
  readonly artifacts: Artifacts;
  readonly jobFiles: JobFiles;
  readonly submissionFiles: SubmissionFiles;
  readonly rooms: FileRooms;
  /** Forgets uploads that nobody named and, where some went, the files of jobs that are no longer there. */
  sweep(someWent: boolean): Promise<number>;
}

export interface FileDeskParts extends Omit<ArtifactParts, 'files' | 'claims'> {
  readonly files: FileRooms;
}

export function createFileDesk({ state, reports, records, files }: FileDeskParts): FileDesk {
  const rooms = toldRooms(files);
  const isThere = async (jobId: string): Promise<boolean> =>
    (await reading(state.store.loadJob(jobId))) !== undefined;
  const claims = createFileClaims({ records, clock: state.clock, isThere });
  const artifacts = createArtifacts({ state, files: rooms.artifacts, records, reports, claims });
  return {
    rooms,
    artifacts,
    jobFiles: createJobFiles({ state, files: rooms, judge: artifacts.judge, claims }),
    submissionFiles: createSubmissionFiles({ state, files: rooms, claims }),
    sweep: createFileSweep({ state, files: rooms, claims, forgetArtifacts: artifacts.forget }),
  };
}
