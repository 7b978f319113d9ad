/** Lets calls through, or has them wait. */
export interface Turnstile {
  close(): void;
  open(): void;
  /** Resolves with true once it is open; with false where too many wait, or as soon as `signal` is aborted. */
  pass(signal: AbortSignal): Promise<boolean>;
}

/**
 * Makes one that is open.
 * @param maxWaiting - calls that wait at one time
 */
export function createTurnstile(maxWaiting: number): Turnstile {
  const waiting = new Set<(isOpen: boolean) => void>();
  let isOpen = true;
  return {
    close: () => void (isOpen = false),
    open() {
      isOpen = true;
      for (const go of [...waiting]) go(true);
    },
    async pass(signal) {
      if (isOpen) return true;
      if (waiting.size >= maxWaiting || signal.aborted) return false;
      return new Promise((resolve) => {
        const go = (may: boolean): void => {
          waiting.delete(go);
          signal.removeEventListener('abort', leave);
          resolve(may);
        };
        const leave = (): void => go(false);
        waiting.add(go);
        signal.addEventListener('abort', leave);
      });
    },
  };
}
