import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { httpStatusOf, type ErrorEnvelope } from '@controlplane/contracts';
import { isJobForgeError, JobForgeError } from '../model/job-forge-error.js';
import type { Log } from '../model/log.js';
import { CallerGone } from './body-reader.js';
import { HTTP_LIMITS } from './http-limits.js';
import { SECURITY_HEADERS, startJson } from './json-reply.js';

/** Turns whatever was thrown into what the caller is told. Never throws; never tells of the unexpected. */
export function envelopeOfError(error: unknown): ErrorEnvelope {
  if (isJobForgeError(error)) return error.envelope;
  if (error instanceof URIError) {
    return new JobForgeError('VALIDATION_ERROR', {
      message: 'The path is not valid percent-encoding.',
      remedy: 'Encode each part of the path with encodeURIComponent.',
    }).envelope;
  }
  return new JobForgeError('INTERNAL_ERROR').envelope;
}

export interface ErrorReply {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly error: unknown;
  readonly log: Log;
  /** Further headers, as `[name, value, …]`. */
  readonly headers?: readonly string[];
}

/** An answer in whatever words. */
export interface Refusal extends Pick<ErrorReply, 'headers'> {
  readonly status: number;
  readonly body: unknown;
  /** Seconds. */
  readonly retryAfter?: number | undefined;
}

/** Answers with the envelope of an error and its own status; where an answer has begun, cuts it short. */
export function sendError({ request, response, error, log, headers = [] }: ErrorReply): void {
  if (error instanceof CallerGone) {
    response.destroy();
    return;
  }
  const envelope = envelopeOfError(error);
  if (envelope.code === 'INTERNAL_ERROR') {
    log('error', 'a request failed unexpectedly', {
      errorId: envelope.id,
      method: request.method,
      url: request.url,
      error,
    });
  }
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { retryAfter } = envelope;
  const refusal = { status: httpStatusOf(envelope.code), retryAfter, headers };
  sendRefusal({ request, response }, { ...refusal, body: { success: false, error: envelope } });
}

/** Answers with JSON; where that refuses an upload that goes on, so that its sender hears of it. */
export function sendRefusal(
  { request, response }: Pick<ErrorReply, 'request' | 'response'>,
  { status, body, retryAfter, headers = [] }: Refusal,
): void {
  const retry = retryAfter === undefined ? [] : ['retry-after', String(Math.ceil(retryAfter))];
  const cut = status === 413 && !request.complete;
  const head = { status, headers: [...headers, ...retry, ...(cut ? ['connection', 'close'] : [])] };
  const text = startJson(response, head, body);
  if (cut) endAfterUpload(request, response, text);
  else response.end(text);
}

/**
 * The answer is complete on the wire at once, yet the connection is closed only after the upload: closing it
 * with bytes unread resets it, and the sender would lose the answer.
 */
function endAfterUpload(request: IncomingMessage, response: ServerResponse, body: string): void {
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, HTTP_LIMITS.refusedUploadMs);
  request.once('end', end);
  request.once('close', end);
  response.write(body);
  request.resume();
}

const UNREADABLE: Readonly<Record<string, () => JobForgeError>> = {
  HPE_HEADER_OVERFLOW: () =>
    new JobForgeError('PAYLOAD_TOO_LARGE', {
      message: `The headers are larger than the limit of ${HTTP_LIMITS.maxHeaderBytes} bytes.`,
      remedy: 'Send fewer or shorter headers.',
    }),
  ERR_HTTP_REQUEST_TIMEOUT: () =>
    new JobForgeError('VALIDATION_ERROR', {
      message: `The request did not arrive within ${HTTP_LIMITS.requestTimeoutMs / 1000} s.`,
      remedy: 'Send the whole request without pausing.',
    }),
};

/** Answers what is no HTTP request, as far as somebody still listens. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const known = UNREADABLE[error.code ?? ''];
  const refusal =
    known?.() ??
    new JobForgeError('VALIDATION_ERROR', {
      message: 'This is not a valid HTTP request.',
      remedy: 'Send HTTP/1.1.',
    });
  refuseSocket(socket, refusal);
}

/** Answers with the envelope of an error where there is a socket alone, and closes it. */
export function refuseSocket(socket: Socket, { envelope }: JobForgeError): void {
  // Whoever has hung up is not told.
  socket.on('error', () => socket.destroy());
  const body = JSON.stringify({ success: false, error: envelope });
  const status = httpStatusOf(envelope.code);
  const { retryAfter } = envelope;
  const headers = [
    'content-type',
    'application/json; charset=utf-8',
    'content-length',
    String(Buffer.byteLength(body)),
    'connection',
    'close',
    ...(retryAfter === undefined ? [] : ['retry-after', String(Math.ceil(retryAfter))]),
    ...SECURITY_HEADERS,
  ];
  const lines = headers.flatMap((name, index) =>
    index % 2 === 0 ? [`${name}: ${headers[index + 1] ?? ''}`] : [],
  );
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
}
