import { Readable } from 'node:stream';

/** A request whose body is a file, sent as it is read. */
export interface FileRequest {
  readonly method: 'PUT' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

/** Sends one file; the path is relative to the base URL. An error status is an answer, not a throw. */
export type FileSender = (path: string, request: FileRequest) => Promise<Response>;

/**
 * Makes the sender of files. By `fetch` alone: the client of the other requests keeps a copy of what it sends, which
 * here would be the whole file in memory.
 */
export function createFileSender(baseUrl: string, fetch: typeof globalThis.fetch | undefined): FileSender {
  const base = `${baseUrl.replace(/\/+$/, '')}/`;
  return (path, { body, ...request }) =>
    (fetch ?? globalThis.fetch)(base + path, {
      ...request,
      body: Readable.toWeb(Readable.from(body, { objectMode: false })),
      duplex: 'half',
    });
}
