import type { ArtifactOperations } from '../model/artifact-operations.js';
import type { FileOperations } from '../model/file-operations.js';
import { JobForgeError } from '../model/job-forge-error.js';

/** For tests in which no job brings a file, and no execution leaves one. */
export const noArtifacts: ArtifactOperations & FileOperations = {
  putFile: async ({ sha256 = '' }) => ({ sha256, bytes: 0 }),
  putResult: async () => {
    throw new JobForgeError('EXECUTION_NOT_FOUND');
  },
  getFile: async () => {
    throw new JobForgeError('FILE_NOT_FOUND');
  },
  putArtifact: async () => {
    throw new JobForgeError('EXECUTION_NOT_FOUND');
  },
  listArtifacts: async () => {
    throw new JobForgeError('JOB_NOT_FOUND');
  },
  getArtifact: async () => {
    throw new JobForgeError('JOB_NOT_FOUND');
  },
};
