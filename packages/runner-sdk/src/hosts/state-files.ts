import { createHash } from 'node:crypto';

/** Small files that outlive the process, readable by its user alone. Names are paths of plain words. */
export interface StateFiles {
  /** The text of a file; undefined when there is none. */
  read(name: string): Promise<string | undefined>;
  /** Puts a whole file in the place of another at once: a reader sees the old text or the new one. */
  write(name: string, text: string): Promise<void>;
  /** Takes a file away; nothing happens when there is none. */
  remove(name: string): Promise<void>;
  /** The names of the files in a folder, in order; none when it does not exist. */
  list(folder: string): Promise<string[]>;
}

/** A short name for a control plane in the state directory. */
export function fileNameOf(controlPlaneUrl: string): string {
  return createHash('sha256').update(controlPlaneUrl.replace(/\/+$/, '')).digest('hex').slice(0, 16);
}
