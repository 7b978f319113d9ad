import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makePrivateFolder } from '../process/private-folder.js';
import { lives, nameOf } from '../process/process-table.js';
import type { RunAs } from '../process/run-process.js';

/** Where scripts work. */
export interface WorkFolders {
  /** A folder for one execution, for its user alone, with these files; each in it, or in a folder of its own there. */
  make(files: Readonly<Record<string, string>>): WorkFolder;
  /** What is shared by executions, readable by their user. */
  readonly cache: string;
}

/** The folder of one execution. */
export interface WorkFolder {
  readonly path: string;
  /**
   * Takes it away; one that is to be kept takes the place of the oldest that was.
   * @returns whether it could be taken away
   */
  close(keep: boolean): boolean;
}

/** What {@link createWorkFolders} is told. */
export interface WorkFolderOptions {
  readonly root: string;
  readonly runAs: RunAs | undefined;
  /** How many folders of executions that failed are kept. */
  readonly keepFailed: number;
}

const RUN = /^run-(\d+)-(\d+)-/;

/** A script may leave folders that even its runner cannot read: the next start tries again. */
function remove(path: string): boolean {
  try {
    rmSync(path, { recursive: true, force: true });
    return true;
  } catch {
    return false;
  }
}

/** Folders whose runner is no more. */
function removeLeftBehind(root: string): void {
  for (const name of readdirSync(root)) {
    const [, pid, ticks] = RUN.exec(name) ?? [];
    if (pid === undefined || lives({ pid: Number(pid), startTicks: Number(ticks) })) continue;
    remove(join(root, name));
  }
}

/**
 * Opens the folder in which scripts work, and takes away what runners left that were killed.
 * @throws RunnerError `INVALID_OPTION` when the folder is not this user's own
 */
export function createWorkFolders({ root, runAs, keepFailed }: WorkFolderOptions): WorkFolders {
  // Others pass through to what is theirs, and see no names.
  makePrivateFolder(root, 0o711);
  const cache = join(root, 'cache');
  makePrivateFolder(cache, 0o755);
  removeLeftBehind(root);
  const own = nameOf(process.pid);
  const prefix = join(root, `run-${own.pid}-${own.startTicks}-`);
  const kept: string[] = [];

  const give = (path: string): void => {
    if (runAs) chownSync(path, runAs.uid, runAs.gid);
  };
  return {
    cache,
    make(files) {
      const path = mkdtempSync(prefix);
      give(path);
      for (const [name, text] of Object.entries(files)) {
        const folder = dirname(join(path, name));
        if (folder !== path) {
          mkdirSync(folder, { mode: 0o700 });
          give(folder);
        }
        writeFileSync(join(path, name), text, { mode: 0o600 });
        give(join(path, name));
      }
      return {
        path,
        close(keep) {
          if (!keep || keepFailed === 0) return remove(path);
          kept.push(path);
          return kept.length <= keepFailed || remove(kept.shift() ?? '');
        },
      };
    },
  };
}
