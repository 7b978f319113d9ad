/** Milliseconds for what comes soon on a machine that does nothing else, and that a busy one may take its time for. */
export const PATIENCE_MS = 15_000;

/** Resolves after `ms`, or at once when the case's time is up. For silences that must be watched. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener('abort', finish);
  });
}
