import type { KyInstance, Options } from 'ky';

/** How the one HTTP client is set up. */
export interface HttpClientOptions {
  /** What every path is relative to. */
  readonly baseUrl: string;
  /** Milliseconds for one request, its answer included. */
  readonly timeoutMs: number;
  /** Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** Sends one request; the path is relative to the client's base URL. */
export type HttpClient = (path: string, request: Options) => Promise<Response>;

/**
 * Makes the HTTP client: no retries of its own (the loops decide), and an error status is an answer, not a throw. The
 * library is loaded with the first request, because with it comes `fetch`: a third of the time that a program would
 * wait for its import of this package.
 */
export function createHttpClient({ baseUrl, timeoutMs, fetch }: HttpClientOptions): HttpClient {
  async function load(): Promise<KyInstance> {
    const { default: ky } = await import('ky');
    return ky.create({
      prefixUrl: baseUrl,
      timeout: timeoutMs,
      retry: 0,
      throwHttpErrors: false,
      ...(fetch === undefined ? {} : { fetch }),
    });
  }
  let loading: Promise<KyInstance> | undefined;
  return async (path, request) => {
    const http = await (loading ??= load());
    return http(path, request);
  };
}
