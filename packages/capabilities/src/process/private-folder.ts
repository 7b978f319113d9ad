import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { RunnerError } from '@controlplane/runner-sdk';

/**
 * Makes a folder, where it is missing, that only this user may write to.
 * @param mode - what others may do
 * @throws RunnerError `INVALID_OPTION` when there is one that belongs to somebody else, or that others may write to
 */
export function makePrivateFolder(path: string, mode: number): void {
  const made = mkdirSync(path, { recursive: true, mode });
  // What the process masks is taken off above.
  if (made !== undefined) chmodSync(path, mode);
  const stat = lstatSync(path);
  const isOurs = stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o022) === 0;
  if (isOurs) return;
  throw new RunnerError(
    'INVALID_OPTION',
    `${path} is to hold what runs here, but others may write to it or it belongs to somebody else; remove it, or set another`,
  );
}
