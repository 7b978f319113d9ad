import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivateFolder } from '../process/private-folder.js';
import { lives, nameOf, type ProcessName } from '../process/process-table.js';
import { atExit } from '../process/signals.js';

/**
 * Milliseconds in which an engine answers when the runner ends: who told it twice to stop waits, and one that hangs is
 * asked again at the next start.
 */
const ANSWER_AT_EXIT_MS = 5_000;

/** What is written down of a container until it is removed. */
interface ContainerEntry {
  readonly name: string;
  readonly engine: string;
  /** Folder with its files. */
  readonly folder: string;
  readonly owner: ProcessName;
}

/**
 * Keeps a record of containers, so that the next runner removes what one left that a signal ended at once. One that
 * ends in any other way removes them itself: it may have no time to wait until they have ended.
 */
export interface ContainerLedger {
  open(name: string, folder: string): void;
  /** It is removed. */
  close(name: string): void;
}

function readEntry(file: string): ContainerEntry | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ContainerEntry;
  } catch {
    // The runner was killed while it wrote, before it had made a container.
    return undefined;
  }
}

/**
 * Opens the records in a folder, and removes what runners left that are no more.
 * @param remove - removes containers; throws when the engine does not answer, in `answerMs` where that is said: their
 *   records then stay
 */
export function createContainerLedger(
  directory: string,
  engine: string,
  remove: (names: readonly string[], answerMs?: number) => void,
): ContainerLedger {
  makePrivateFolder(directory, 0o700);
  for (const file of readdirSync(directory).map((name) => join(directory, name))) {
    const entry = readEntry(file);
    if (entry && (entry.engine !== engine || lives(entry.owner))) continue;
    if (entry) {
      remove([entry.name]);
      rmSync(entry.folder, { recursive: true, force: true });
    }
    rmSync(file, { force: true });
  }
  const owner = nameOf(process.pid);
  const fileOf = (name: string): string => join(directory, `${name}.json`);
  const folders = new Map<string, string>();
  const close = (name: string): void => {
    folders.delete(name);
    rmSync(fileOf(name), { force: true });
  };

  function removeAll(): void {
    if (folders.size === 0) return;
    remove([...folders.keys()], ANSWER_AT_EXIT_MS);
    for (const [name, folder] of folders) {
      rmSync(folder, { recursive: true, force: true });
      close(name);
    }
  }

  // Before any command of the engine is started, so that all of them have ended when this is called.
  atExit(removeAll);
  return {
    open(name, folder) {
      folders.set(name, folder);
      const entry: ContainerEntry = { name, engine, folder, owner };
      writeFileSync(fileOf(name), JSON.stringify(entry), { mode: 0o600 });
    },
    close,
  };
}
