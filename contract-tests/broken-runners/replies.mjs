/** How bytes are read and replies are written. */
import { envelope, statusOf } from './envelope.mjs';

export const NDJSON = 'application/x-ndjson';

export function sendJson(response, status, body) {
  response.writeHead(status, { 'content-type': response.getHeader('content-type') ?? 'application/json' });
  response.end(JSON.stringify(body));
}

export function refuse(response, code, message) {
  sendJson(response, statusOf(code), { success: false, error: envelope(code, message) });
}

export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
