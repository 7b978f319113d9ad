import type { WireRequest } from '../harness/exchange.js';

/** Characters of a body that a command line is given. */
const MAX_BODY = 4_000;

/** Quotes a text for a POSIX shell. */
export function shellQuote(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The command that sends a request again; undefined when its body is too long for one. */
export function curlOf(request: WireRequest): string | undefined {
  const body =
    request.body === undefined
      ? ''
      : typeof request.body === 'string'
        ? request.body
        : Buffer.from(request.body).toString('utf8');
  if (body.length > MAX_BODY) return undefined;
  const headers = Object.entries(request.headers ?? {}).map(
    ([name, value]) => `-H ${shellQuote(`${name}: ${value}`)}`,
  );
  const data = body === '' ? [] : [`--data-binary ${shellQuote(body)}`];
  const method = request.method === 'GET' ? [] : [`-X ${request.method}`];
  return ['curl -sS', ...method, shellQuote(request.url), ...headers, ...data].join(' ');
}
