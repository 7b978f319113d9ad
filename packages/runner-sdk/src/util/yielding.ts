/** Between two turns that it lets go: a loop may ask for each of its steps. By the machine's time, as threads are. */
const EVERY_MS = 10;

/**
 * Makes a function that lets the event loop turn, for whoever keeps it busy.
 * @param refusal - why it must not go on; asked before and after each turn
 */
export function createYield(refusal: () => Error | undefined): () => Promise<void> {
  let lastMs = performance.now();
  return async () => {
    const before = refusal();
    if (before) throw before;
    if (performance.now() - lastMs < EVERY_MS) return;
    // What waits on the outside is heard before the callbacks of setImmediate.
    await new Promise(setImmediate);
    lastMs = performance.now();
    const after = refusal();
    if (after) throw after;
  };
}
