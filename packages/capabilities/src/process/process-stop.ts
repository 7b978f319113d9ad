import { setTimeout as wait } from 'node:timers/promises';
import { livingGroups, markedPids, sendSignal } from './process-table.js';

const LEAST_PAUSE_MS = 20;
const MOST_PAUSE_MS = 250;
const LOOK_AFTER_MS = 50;
/** A process that starts others faster than they are killed is met again; one that always wins has no end. */
const MAX_ROUNDS = 20;

/** The processes of one execution. */
export interface Started {
  /** Of the first process, and of its group. */
  readonly pid: number;
  /** Undefined when its processes carry none. */
  readonly mark: string | undefined;
}

/** A look at all processes is dear where there are many: those who want one at the same time share it. */
function shared<T>(look: () => T, gatherMs: number): () => Promise<T> {
  let looking: Promise<T> | undefined;
  return () =>
    (looking ??= wait(gatherMs).then(() => {
      looking = undefined;
      return look();
    }));
}

const lookForMarks = shared(markedPids, 5);
const lookForGroups = shared(livingGroups, 50);

/**
 * The system keeps a group while one of its processes has not been asked why it ended, and some take their time to ask:
 * then a look says whether any lives. Where there is no /proc, the system's word has to do.
 */
async function isOver({ pid }: Started, waitedMs: number): Promise<boolean> {
  if (!sendSignal(-pid, 0)) return true;
  if (waitedMs < LOOK_AFTER_MS) return false;
  const living = await lookForGroups();
  return living.size > 0 && !living.has(pid);
}

async function groupEnds(started: Started, withinMs: number): Promise<boolean> {
  const startedMs = performance.now();
  for (let pauseMs = LEAST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MOST_PAUSE_MS)) {
    const waitedMs = performance.now() - startedMs;
    if (await isOver(started, waitedMs)) return true;
    const leftMs = withinMs - (performance.now() - startedMs);
    if (leftMs <= 0) return false;
    await wait(Math.min(pauseMs, leftMs));
  }
}

/** Kills at once whatever carries the mark; a process that was started meanwhile too. */
async function killMarked(mark: string): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const marked = await lookForMarks();
    const alive = (marked.get(mark) ?? []).filter((pid) => sendSignal(pid, 'SIGKILL'));
    if (alive.length === 0) return;
    await wait(LEAST_PAUSE_MS);
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
