import type { ServerResponse } from 'node:http';

/**
 * Writes a whole JSON reply at once.
 * @param response - a response that nothing has been written to
 * @param status - HTTP status
 * @param json - the body, already JSON
 */
export function replyJson(response: ServerResponse, status: number, json: string): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(json),
  });
  response.end(json);
}
