/** A request for a file. */
export interface FileQuestion {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Asks for one file; the path is relative to the base URL. An error status is an answer, not a throw. */
export type FileReceiver = (path: string, request: FileQuestion) => Promise<Response>;

/** Makes the receiver of files. By `fetch` alone: a file may take longer than any other answer. */
export function createFileReceiver(
  baseUrl: string,
  fetch: typeof globalThis.fetch | undefined,
): FileReceiver {
  const base = `${baseUrl.replace(/\/+$/, '')}/`;
  return (path, request) => (fetch ?? globalThis.fetch)(base + path, request);
}
