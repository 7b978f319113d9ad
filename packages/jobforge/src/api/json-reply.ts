import type { ServerResponse } from 'node:http';

/** Sent with every answer, as `[name, value, …]`: nothing here is a page to be framed, guessed at or kept. */
export const SECURITY_HEADERS: readonly string[] = [
  'x-content-type-options',
  'nosniff',
  'content-security-policy',
  "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy',
  'same-origin',
  'referrer-policy',
  'no-referrer',
  'cache-control',
  'no-store',
];

/** What beside the body makes up a JSON answer. */
export interface JsonReplyHead {
  readonly status: number;
  /** Further headers, as `[name, value, …]`. */
  readonly headers?: readonly string[];
}

/** Writes the head of a JSON answer and returns its body, which the caller writes. */
export function startJson(response: ServerResponse, head: JsonReplyHead, value: unknown): string {
  const body = JSON.stringify(value);
  startJsonText(response, head, body);
  return body;
}

/** Writes the head of an answer whose JSON is there already. */
export function startJsonText(response: ServerResponse, head: JsonReplyHead, body: string): void {
  response.writeHead(head.status, [
    'content-type',
    'application/json; charset=utf-8',
    'content-length',
    String(Buffer.byteLength(body)),
    ...SECURITY_HEADERS,
    ...(head.headers ?? []),
  ]);
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.end(startJson(response, { status }, value));
}

/** Answers with bytes as they are. */
export function sendBytes(response: ServerResponse, status: number, bytes: Uint8Array): void {
  const length = ['content-length', String(bytes.length)];
  response.writeHead(status, ['content-type', 'application/octet-stream', ...length, ...SECURITY_HEADERS]);
  response.end(bytes);
}
