import { pause } from '../harness/pause.js';

/** A limit of time: its own, and that of the case. */
export interface Limit {
  readonly ms: number;
  readonly signal: AbortSignal;
}

/** The promise's value, or undefined when it takes longer than the limit. */
export async function within<T>(promise: Promise<T>, { ms, signal }: Limit): Promise<T | undefined> {
  const settled = new AbortController();
  const late = pause(ms, AbortSignal.any([signal, settled.signal]));
  try {
    return await Promise.race([promise, late.then(() => undefined)]);
  } finally {
    settled.abort();
  }
}

const LOOK_MS = 10;

/** What is read, as soon as there is something; undefined when the time is up before. */
export async function eventually<T>(
  read: () => T | undefined | false,
  { ms, signal }: Limit,
): Promise<T | undefined> {
  const until = performance.now() + ms;
  for (;;) {
    const found = read();
    if (found !== undefined && found !== false) return found;
    if (signal.aborted || performance.now() >= until) return undefined;
    await pause(LOOK_MS, signal);
  }
}
