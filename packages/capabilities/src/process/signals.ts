import { sendSignal } from './process-table.js';

const endings = new Set<() => void>();
let isListening = false;

/** What was started last ends first: who watches over something is registered before it. */
function endAll(): void {
  for (const end of [...endings].reverse()) {
    try {
      end();
    } catch {
      // Nobody is told any more, and the others have to end too; its record is there for the next start.
    }
  }
}

/**
 * Calls this when the process ends: on a second signal, too, or because its program crashed, but not by SIGKILL or
 * another signal that nobody handles. What it does has to be done when it returns.
 * @returns forgets it
 */
export function atExit(end: () => void): () => void {
  endings.add(end);
  if (!isListening) process.on('exit', endAll);
  isListening = true;
  return () => endings.delete(end);
}

/**
 * Lets a process group not outlive this process.
 * @returns forgets it, once it has ended
 */
export function killAtExit(pid: number): () => void {
  return atExit(() => sendSignal(-pid, 'SIGKILL'));
}
