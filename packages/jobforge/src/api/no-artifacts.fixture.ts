import type { ArtifactOperations } from '../model/artifact-operations.js';
import { JobForgeError } from '../model/job-forge-error.js';

/** For tests in which no execution leaves a file. */
export const noArtifacts: ArtifactOperations = {
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
