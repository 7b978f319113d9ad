/** How bytes are read and replies are written. */
import { envelope, statusOf } from './envelope.mjs';

export const NDJSON = 'application/x-ndjson';

export function sendJson(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

export function refuse(response, code, message) {
  sendJson(response, statusOf(code), { success: false, error: envelope(code, message) });
}

/** The body as text; undefined when it is longer than the limit. */
export async function readBody(request, limit) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
  }
  return size > limit ? undefined : Buffer.concat(chunks).toString('utf8');
}

export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
