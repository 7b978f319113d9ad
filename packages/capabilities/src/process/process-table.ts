import { readdirSync, readFileSync } from 'node:fs';
import { MARK_VARIABLE } from './child-environment.js';

/** A process as the system knows it. */
export interface KnownProcess {
  readonly pid: number;
  readonly group: number;
  readonly session: number;
  /** Clock ticks from the start of the system: with the pid it names a process for good, until the next boot. */
  readonly startTicks: number;
  readonly isZombie: boolean;
}

function readQuietly(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It ended meanwhile, belongs to another user, or there is no /proc.
    return undefined;
  }
}

/** One process; undefined where there is none, or no /proc. */
export function processOf(pid: number): KnownProcess | undefined {
  const stat = readQuietly(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name stands in brackets and may hold brackets and blanks itself: the last one closes it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    pid,
    group: Number(fields[2]),
    session: Number(fields[3]),
    startTicks: Number(fields[19]),
    isZombie: fields[0] === 'Z',
  };
}

/** A process for good, until the next boot. */
export interface ProcessName {
  readonly pid: number;
  readonly startTicks: number;
}

export const nameOf = (pid: number): ProcessName => ({ pid, startTicks: processOf(pid)?.startTicks ?? 0 });

/** Whether it is still there, and no other that was given its pid; where there is no /proc, whether any has its pid. */
export const lives = ({ pid, startTicks }: ProcessName): boolean =>
  processOf(process.pid) ? processOf(pid)?.startTicks === startTicks : sendSignal(pid, 0);

/** The pids of all processes; empty where there is no /proc. */
export function allPids(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function markOf(pid: number): string | undefined {
  const variables = readQuietly(`/proc/${pid}/environ`);
  if (!variables?.includes(`${MARK_VARIABLE}=`)) return undefined;
  const found = variables.split('\0').find((variable) => variable.startsWith(`${MARK_VARIABLE}=`));
  return found?.slice(MARK_VARIABLE.length + 1);
}

/** The pids of all processes that carry a mark, wherever they went, by their mark. */
export function markedPids(): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  for (const pid of allPids()) {
    const mark = markOf(pid);
    if (mark !== undefined) found.set(mark, [...(found.get(mark) ?? []), pid]);
  }
  return found;
}

/** The groups that a process lives in. One that has ended and waits for its parent to ask why lives in none. */
export function livingGroups(): ReadonlySet<number> {
  const living = allPids()
    .map(processOf)
    .filter((found) => found !== undefined && !found.isZombie);
  return new Set(living.map((found) => found?.group ?? 0));
}

/** Which start of the system this is; empty where it does not say. */
export function bootId(): string {
  return readQuietly('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}

/**
 * Sends a signal.
 * @param target - a pid, or the negative of a process group
 * @returns whether there was anybody to get it
 */
export function sendSignal(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(target, signal);
    return true;
  } catch (error) {
    // EPERM: there is somebody, of another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
