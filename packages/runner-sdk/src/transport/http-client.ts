import ky, { type KyInstance } from 'ky';

/** How the one HTTP client is set up. */
export interface HttpClientOptions {
  /** What every path is relative to. */
  readonly baseUrl: string;
  /** Milliseconds for one request, its answer included. */
  readonly timeoutMs: number;
  /** Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** Makes the HTTP client: no retries of its own (the loops decide), and an error status is an answer, not a throw. */
export function createHttpClient({ baseUrl, timeoutMs, fetch }: HttpClientOptions): KyInstance {
  return ky.create({
    prefixUrl: baseUrl,
    timeout: timeoutMs,
    retry: 0,
    throwHttpErrors: false,
    ...(fetch === undefined ? {} : { fetch }),
  });
}
