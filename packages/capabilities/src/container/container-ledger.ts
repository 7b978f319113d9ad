import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivateFolder } from '../process/private-folder.js';
import { lives, nameOf, type ProcessName } from '../process/process-table.js';

/** What is written down of a container until it is removed. */
interface ContainerEntry {
  readonly name: string;
  readonly engine: string;
  /** Folder with its files. */
  readonly folder: string;
  readonly owner: ProcessName;
}

/** Keeps a record of containers, so that the next runner removes what a killed one left. */
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
 * @param remove - removes one container; throws when the engine does not answer: its record then stays
 */
export function createContainerLedger(
  directory: string,
  engine: string,
  remove: (name: string) => void,
): ContainerLedger {
  makePrivateFolder(directory, 0o700);
  for (const file of readdirSync(directory).map((name) => join(directory, name))) {
    const entry = readEntry(file);
    if (entry && (entry.engine !== engine || lives(entry.owner))) continue;
    if (entry) {
      remove(entry.name);
      rmSync(entry.folder, { recursive: true, force: true });
    }
    rmSync(file, { force: true });
  }
  const owner = nameOf(process.pid);
  const fileOf = (name: string): string => join(directory, `${name}.json`);
  return {
    open: (name, folder) =>
      writeFileSync(fileOf(name), JSON.stringify({ name, engine, folder, owner } satisfies ContainerEntry), {
        mode: 0o600,
      }),
    close: (name) => rmSync(fileOf(name), { force: true }),
  };
}
