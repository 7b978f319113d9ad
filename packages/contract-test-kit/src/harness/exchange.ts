/**
 * @module
 * What the kit holds in its hands: bytes over HTTP, the runner's process, and a control plane that
 * writes down what it is sent. Knows the wire, judges nothing. Imports node and contracts alone.
 */
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** Bytes of a reply that are kept; what follows is read and dropped. */
const MAX_REPLY_BYTES = 8 * 1024 * 1024;

/** One request as it is written to the wire. */
export interface WireRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** One line of a streamed reply. */
export interface ReplyLine {
  readonly text: string;
  /** Milliseconds after the request was sent. */
  readonly afterMs: number;
}

/** A request and what came back. */
export interface Exchange {
  readonly request: WireRequest;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The body as JSON; undefined where it is none. */
  readonly json: unknown;
  readonly lines: readonly ReplyLine[];
  readonly durationMs: number;
  /** Whether the connection ended before the reply was complete. */
  readonly cut: boolean;
}

/** The runner did not answer: the connection was refused or broken, or time ran out. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  constructor(
    readonly request: WireRequest,
    readonly reason: string,
  ) {
    super(`${request.method} ${request.url}: ${reason}`);
  }
}

export interface SendOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with each line of the reply as it arrives; true closes the connection. */
  readonly onLine?: ((line: ReplyLine) => boolean | void) | undefined;
  /**
   * Writes the body piece by piece, and no more of it once there is a reply: who refuses what is too long by closing
   * the connection is heard out before. Default: the body at once.
   */
  readonly inPieces?: boolean | undefined;
}

const PIECE_BYTES = 64 * 1024;

/** Writes a body until there is a reply, or nobody to write to. */
async function writeInPieces(outgoing: ClientRequest, body: Uint8Array): Promise<void> {
  let isOver = false;
  const end = (): void => {
    isOver = true;
  };
  outgoing.once('response', end).once('close', end);
  for (let at = 0; at < body.length && !isOver; at += PIECE_BYTES) {
    outgoing.write(body.subarray(at, at + PIECE_BYTES));
    // What has come is read before the next piece meets a connection that is closed.
    await new Promise((resolve) => setTimeout(() => setImmediate(resolve), 1));
  }
  if (!isOver) outgoing.end();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Reading {
  readonly lines: ReplyLine[];
  text: string;
  pending: string;
  stopped: boolean;
}

/** Reads a reply into `reading`, to its end, its break, or the line that `onLine` stops at. */
async function readReply(
  reply: IncomingMessage,
  reading: Reading,
  options: SendOptions & { startedAt: number },
): Promise<void> {
  const decoder = new TextDecoder();
  const take = (line: string): void => {
    if (line.trim() === '') return;
    const entry = { text: line, afterMs: performance.now() - options.startedAt };
    reading.lines.push(entry);
    if (options.onLine?.(entry) === true) reading.stopped = true;
  };
  for await (const chunk of reply as AsyncIterable<Uint8Array>) {
    if (reading.text.length > MAX_REPLY_BYTES) continue;
    const piece = decoder.decode(chunk, { stream: true });
    reading.text += piece;
    const parts = (reading.pending + piece).split('\n');
    reading.pending = parts.pop() ?? '';
    for (const part of parts) take(part);
    if (reading.stopped) break;
  }
  if (!reading.stopped) take(reading.pending);
}

/** Headers by their lower-case names; one that came several times is one text. */
export function flatHeaders(message: IncomingMessage): Record<string, string> {
  const entries = Object.entries(message.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

/** Reads what can be read; a reply that breaks off is an exchange that was cut, not an error of ours. */
async function completeExchange(
  reply: IncomingMessage,
  request: WireRequest,
  options: SendOptions & { startedAt: number },
): Promise<Exchange> {
  const reading: Reading = { lines: [], text: '', pending: '', stopped: false };
  let broken = false;
  try {
    await readReply(reply, reading, options);
  } catch (error) {
    if (options.signal?.aborted)
      throw new NoAnswer(request, `no complete reply in time; ${reading.lines.length} lines had arrived`);
    broken = error instanceof Error;
  }
  return {
    request,
    status: reply.statusCode ?? 0,
    headers: flatHeaders(reply),
    text: reading.text,
    json: parseJson(reading.text),
    lines: reading.lines,
    durationMs: performance.now() - options.startedAt,
    cut: broken || reading.stopped,
  };
}

function describeFailure(error: Error & { code?: string }, signal: AbortSignal | undefined): string {
  if (signal?.aborted) return 'no reply in time';
  return error.code === undefined ? error.message : `${error.code} ${error.message}`.trim();
}

/**
 * Sends one request on a connection of its own.
 * @returns the exchange, whatever its status; also when the reply was cut short
 * @throws NoAnswer when no reply began, or `signal` ended the wait
 */
export function send(request: WireRequest, options: SendOptions = {}): Promise<Exchange> {
  const startedAt = performance.now();
  const body = request.body ?? '';
  const url = new URL(request.url);
  const open = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const outgoing = open(url, {
      method: request.method,
      headers: {
        ...request.headers,
        ...(request.method === 'GET' ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
      },
      agent: false,
      ...(options.signal ? { signal: options.signal } : {}),
    });
    let hasReply = false;
    outgoing.on('error', (error) => {
      // A reply that has begun tells by itself whether it came to its end.
      if (!hasReply || !options.inPieces || options.signal?.aborted)
        reject(new NoAnswer(request, describeFailure(error, options.signal)));
    });
    outgoing.on('response', (reply) => {
      hasReply = true;
      completeExchange(reply, request, { ...options, startedAt })
        // Of a body that is not wanted any more the rest is not owed.
        .finally(() => outgoing.writableEnded || outgoing.destroy())
        .then(resolve, reject);
    });
    if (options.inPieces) void writeInPieces(outgoing, Buffer.from(body));
    else outgoing.end(body);
  });
}
