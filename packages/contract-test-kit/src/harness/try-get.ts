import { NoAnswer, send, type Exchange } from './exchange.js';

/** What GET brings; undefined when nothing answers in time. */
export async function tryGet(url: string, timeoutMs: number): Promise<Exchange | undefined> {
  try {
    return await send(
      { method: 'GET', url, headers: { accept: 'application/json' } },
      { signal: AbortSignal.timeout(timeoutMs) },
    );
  } catch (error) {
    if (error instanceof NoAnswer) return undefined;
    throw error;
  }
}
