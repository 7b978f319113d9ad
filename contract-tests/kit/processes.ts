import { spawnSync } from 'node:child_process';

/** Whether a process runs; one that ended and was not yet reaped by its parent does not. */
export function isAlive(pid: number): boolean {
  const state = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
  return state !== '' && !state.startsWith('Z');
}
