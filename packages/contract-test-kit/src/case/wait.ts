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
