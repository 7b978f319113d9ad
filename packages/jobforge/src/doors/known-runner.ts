import type { RunnerMetadata } from '@controlplane/contracts';
import { isJobForgeError } from '../model/job-forge-error.js';
import type { DoorParts } from './door.js';

/**
 * What is known of a runner that has proved which it is. Undefined for one that was away until it was forgotten: its
 * credential is still good, and it may come back. What an operator revoked or deleted has no credential that is.
 */
export async function knownRunner(
  { operations }: Pick<DoorParts, 'operations'>,
  id: string,
): Promise<RunnerMetadata | undefined> {
  try {
    return await operations.showRunner(id);
  } catch (error) {
    if (isJobForgeError(error) && error.envelope.code === 'RUNNER_NOT_FOUND') return undefined;
    throw error;
  }
}
