import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline, Readable } from 'node:stream';

const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

function toResponse(message: IncomingMessage): Response {
  const status = message.statusCode ?? 500;
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headers))
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  if (NO_BODY.has(status)) {
    message.resume();
    return new Response(null, { status, headers });
  }
  return new Response(Readable.toWeb(message) as ReadableStream<Uint8Array>, { status, headers });
}

/** As fetch tells it: what is behind it says why. */
function failed(error: Error & { code?: unknown }): Error {
  const { code } = error;
  const closed = code === 'ECONNRESET' || code === 'EPIPE';
  const foreign = typeof code === 'string' && code.startsWith('HPE_');
  const words = closed ? 'the connection was closed' : 'what answers does not speak HTTP';
  return new TypeError('fetch failed', { cause: closed || foreign ? new Error(words) : error });
}

/**
 * `fetch` as far as the command line needs it: method, headers, a text or a stream as the body, a signal. The one that Node 20
 * has may never settle where a connection is closed at once; redirects are not followed here.
 */
export const httpFetch: typeof globalThis.fetch = (input, init = {}) =>
  new Promise((resolve, reject) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const { signal } = init;
    const options: RequestOptions = {
      method: init.method ?? 'GET',
      headers: Object.fromEntries(new Headers(init.headers)),
      agent: false,
      ...(signal ? { signal } : {}),
    };
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(url, options, (message) => resolve(toResponse(message)));
    request.on('error', (error) => reject(signal?.aborted ? (signal.reason as Error) : failed(error)));
    if (init.body instanceof ReadableStream)
      pipeline(Readable.fromWeb(init.body), request, (error) => {
        if (error) request.destroy(error);
      });
    else request.end(typeof init.body === 'string' ? init.body : undefined);
  });
