/**
 * @module
 * Bytes: the HTTP server and client that deliveries stand on. No word of the domain. Imports util, node, ky
 * and express alone.
 */
import type { IncomingMessage } from 'node:http';

/** A body as text, or why there is none. */
export type Body =
  | { readonly text: string }
  | { readonly text?: undefined; readonly problem: 'too-large' | 'aborted' };

/** A sender that goes on far beyond the limit is cut off instead of read to the end. */
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024;

/**
 * Reads a request's body. One that is too large is read to its end and thrown away, so that the sender gets
 * to read the answer.
 * @param request - a request; a body that something else has read is empty
 * @param maxBytes - the most that is kept
 * @param done - called once
 */
export function readBody(request: IncomingMessage, maxBytes: number, done: (body: Body) => void): void {
  // Neither would ever come to an end again.
  if (request.readableEnded) return done({ text: '' });
  if (request.destroyed) return done({ problem: 'aborted' });
  let chunks: Buffer[] = [];
  let bytes = 0;
  let isDone = false;
  const finish = (body: Body): void => {
    if (isDone) return;
    isDone = true;
    done(body);
  };
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBytes) {
      chunks.push(chunk);
      return;
    }
    chunks = [];
    if (bytes > MAX_DISCARDED_BYTES) {
      request.pause();
      finish({ problem: 'too-large' });
    }
  });
  request.on('end', () => {
    if (bytes > maxBytes) return finish({ problem: 'too-large' });
    const [first] = chunks;
    const all = chunks.length === 1 && first ? first : Buffer.concat(chunks, bytes);
    finish({ text: all.toString('utf8') });
  });
  request.on('close', () => finish({ problem: 'aborted' }));
}
