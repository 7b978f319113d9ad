import { isJobForgeError, JobForgeError } from '../model/job-forge-error.js';

/** Has what the store could not read refused as STORE_UNAVAILABLE. */
export async function reading<T>(read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (isJobForgeError(error)) throw error;
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    throw new JobForgeError('STORE_UNAVAILABLE', {
      message: 'The store could not be read.',
      causes: [{ name, message }],
    });
  }
}

/** What a read of a job that is not there is refused with. */
export function jobNotFound(id: string): JobForgeError {
  return new JobForgeError('JOB_NOT_FOUND', { message: `There is no job "${id}".` });
}
