import type { IncomingMessage, ServerResponse } from 'node:http';
import { RunnerError } from '../errors/runner-error.js';
import { errorJson } from '../hosts/control-plane/error-reply.js';
import type { PushDelivery } from '../hosts/control-plane/push-delivery.js';
import { createLastResort } from '../hosts/control-plane/runner-router.js';
import { listenHttp, type HttpListener } from '../transport/http-listener.js';
import type { Logger } from '../util/logger.js';
import type { ResolvedOptions } from './options.js';
import type { RunnerRequestHandler } from './runner-request-handler.js';

/** What the runner's own server answers with. */
export interface RunnerServerOptions {
  readonly resolved: ResolvedOptions;
  readonly service: string;
  readonly execute: PushDelivery;
  readonly router: unknown;
  readonly logger: Logger;
}

const MALFORMED_STATUS: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
};

function explainListenError(error: unknown, { host, port }: ResolvedOptions): RunnerError {
  const code = String(Reflect.get(Object(error) as object, 'code'));
  const why =
    {
      EADDRINUSE: `port ${port} is taken; stop what uses it, or set option "port" or environment variable PORT`,
      EACCES: `this user may not listen on port ${port}; use one above 1023`,
      EADDRNOTAVAIL: `"${host}" is no address of this machine; set option "host" or environment variable HOST`,
      ENOTFOUND: `"${host}" is no address of this machine; set option "host" or environment variable HOST`,
    }[code] ?? String(error);
  const told = new RunnerError('LISTEN_FAILED', `cannot listen on ${host}:${port}: ${why}`);
  // Where nobody catches it, the program ends with this sentence: the stack says nothing about the program.
  told.stack = `${told.name}: ${told.message}`;
  Object.defineProperties(told, { code: { enumerable: false }, name: { enumerable: false } });
  return told;
}

/**
 * Starts the runner's own server. It answers `POST /execute` by itself and hands everything else to express,
 * which would cost four fifths of the throughput.
 * @throws RunnerError `LISTEN_FAILED`
 */
export async function listenForRunner(options: RunnerServerOptions): Promise<HttpListener> {
  const { resolved, service, execute, logger } = options;
  const router = options.router as RunnerRequestHandler;
  const lastResort = createLastResort(service);
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.method === 'POST' && request.url === '/execute') return execute(request, response);
    router(request, response, (error) => lastResort(request, response, error));
  };
  const onMalformed = ({
    code = '',
    message,
  }: {
    code?: string;
    message: string;
  }): { status: string; json: string } => ({
    status: MALFORMED_STATUS[code] ?? '400 Bad Request',
    json: errorJson('VALIDATION_ERROR', { service, message: `not a readable HTTP request: ${message}` }),
  });
  const onError = (error: Error): void => logger.error({ err: error }, 'a connection could not be accepted');
  try {
    return await listenHttp({ host: resolved.host, port: resolved.port, onRequest, onMalformed, onError });
  } catch (error) {
    throw explainListenError(error, resolved);
  }
}
