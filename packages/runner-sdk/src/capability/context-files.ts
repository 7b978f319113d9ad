import type { JobFile } from '@controlplane/contracts';

/**
 * The files that a job brings. Their SHA-256 is verified while they come: what is damaged on the way, or was changed
 * where it was kept, is never taken for the file.
 */
export interface ContextFiles {
  /** Every file of the job: name, size in bytes, SHA-256, media type. */
  readonly list: () => readonly JobFile[];
  /**
   * Reads a file as it comes; where the connection breaks it goes on from there. Nothing is fetched before the first
   * piece is asked for.
   * @param name - as the job names it
   * @throws RunnerError while it is read: `FILE_MISSING` where the job has no such file, or it can no longer be had;
   * `FILE_MISMATCH` in place of its end where the bytes are others than the job names
   */
  readonly open: (name: string) => AsyncIterable<Uint8Array>;
  /**
   * Writes a file to a path, in the place of what is there. Half a file, or another one, is never left there.
   * @param name - as the job names it
   * @param path - in a folder that exists
   * @returns what the job says of the file
   * @throws RunnerError as `open`; the file system's own error where it cannot be written
   */
  readonly save: (name: string, path: string) => Promise<JobFile>;
}
