import { sendSignal } from './process-table.js';

const groups = new Set<number>();
let isListening = false;

/** The runner ends while they run: on a second signal, or because its program crashed. */
function killGroups(): void {
  for (const pid of groups) sendSignal(-pid, 'SIGKILL');
}

/**
 * Lets a process group not outlive this process, however that ends but by SIGKILL.
 * @returns forgets it, once it has ended
 */
export function killAtExit(pid: number): () => void {
  groups.add(pid);
  if (!isListening) process.on('exit', killGroups);
  isListening = true;
  return () => groups.delete(pid);
}
