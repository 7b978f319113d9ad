import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivateFolder } from './private-folder.js';
import {
  allPids,
  bootId,
  lives,
  markedPids,
  nameOf,
  processOf,
  sendSignal,
  type ProcessName,
} from './process-table.js';

/** What is written down of an execution while it runs. */
interface LedgerEntry {
  readonly mark: string;
  readonly bootId: string;
  /** The runner that started it. */
  readonly owner: ProcessName;
  /** Its first process, whose group is named after it; missing when the runner died while it started. */
  readonly leader?: ProcessName;
}

/** Keeps a record of what runs, so that the next runner ends what a killed one left behind. */
export interface ProcessLedger {
  /** Before a program is started. */
  open(mark: string): void;
  /** Once it has a pid. */
  name(mark: string, pid: number): void;
  /** Nothing of it runs any more. */
  close(mark: string): void;
}

function readEntry(file: string): LedgerEntry | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as LedgerEntry;
  } catch {
    // The runner was killed while it wrote: without a mark nothing can be found.
    return undefined;
  }
}

/** Processes of the group whose first process is known; of another group with the same number none. */
function groupOf(leader: ProcessName): number[] {
  const first = processOf(leader.pid);
  if (first && first.startTicks !== leader.startTicks) return [];
  return allPids().filter((pid) => {
    const found = processOf(pid);
    return found?.group === leader.pid && found.session === leader.pid;
  });
}

/** Ends what runners left behind that are no more. */
function endLeftBehind(directory: string): void {
  const names = readdirSync(directory);
  if (names.length === 0) return;
  const marked = markedPids();
  for (const name of names) {
    const file = join(directory, name);
    const entry = readEntry(file);
    if (entry && entry.bootId === bootId()) {
      if (lives(entry.owner)) continue;
      const members = entry.leader ? groupOf(entry.leader) : [];
      for (const pid of [...members, ...(marked.get(entry.mark) ?? [])]) sendSignal(pid, 'SIGKILL');
    }
    rmSync(file, { force: true });
  }
}

/**
 * Opens the records in a folder, and ends at once what a runner that was killed had left running.
 * @param directory - made when it is missing, for this user alone
 * @throws RunnerError `INVALID_OPTION` when the folder is not this user's own
 */
export function createProcessLedger(directory: string): ProcessLedger {
  // A folder that others may write to could name processes of theirs, or of ours.
  makePrivateFolder(directory, 0o700);
  endLeftBehind(directory);
  const owner = nameOf(process.pid);
  const boot = bootId();
  const fileOf = (mark: string): string => join(directory, `${mark}.json`);
  const write = (entry: LedgerEntry): void =>
    writeFileSync(fileOf(entry.mark), JSON.stringify(entry), { mode: 0o600 });
  return {
    open: (mark) => write({ mark, bootId: boot, owner }),
    name: (mark, pid) => write({ mark, bootId: boot, owner, leader: nameOf(pid) }),
    close: (mark) => rmSync(fileOf(mark), { force: true }),
  };
}
