import { setTimeout as wait } from 'node:timers/promises';
import { markedPids, sendSignal } from './process-table.js';

const LOOK_MS = 20;
const GATHER_MS = 5;
/** A process that starts others faster than they are killed is met again; one that always wins has no end. */
const MAX_ROUNDS = 20;

/** The processes of one execution. */
export interface Started {
  /** Of the first process, and of its group. */
  readonly pid: number;
  /** Undefined when its processes carry none. */
  readonly mark: string | undefined;
}

const groupLives = ({ pid }: Started): boolean => sendSignal(-pid, 0);

async function groupEnds(started: Started, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (groupLives(started)) {
    if (performance.now() >= until) return false;
    await wait(LOOK_MS);
  }
  return true;
}

let looking: ReturnType<typeof look> | undefined;

/** A look at all processes is dear where there are many: those who want one at the same time share it. */
async function look(): Promise<ReturnType<typeof markedPids>> {
  await wait(GATHER_MS);
  looking = undefined;
  return markedPids();
}

/** Kills at once whatever carries the mark; a process that was started meanwhile too. */
async function killMarked(mark: string): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const marked = await (looking ??= look());
    const alive = (marked.get(mark) ?? []).filter((pid) => sendSignal(pid, 'SIGKILL'));
    if (alive.length === 0) return;
    await wait(LOOK_MS);
  }
}

/**
 * Ends every process of an execution: those of its group are asked to end, and killed after the grace; those that left
 * the group are killed.
 * @param graceMs - milliseconds between SIGTERM and SIGKILL
 */
export async function stopProcesses(started: Started, graceMs: number): Promise<void> {
  if (sendSignal(-started.pid, 'SIGTERM') && !(await groupEnds(started, graceMs)))
    sendSignal(-started.pid, 'SIGKILL');
  if (started.mark !== undefined) await killMarked(started.mark);
}
