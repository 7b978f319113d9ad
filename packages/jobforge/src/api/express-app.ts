import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import type { Doors } from '../doors/door.js';
import type { Operations } from '../model/operations.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { Log } from '../model/log.js';
import { sendError, sendRefusal } from './error-reply.js';
import { sendBytes, sendJson } from './json-reply.js';
import type { Serve } from './serve.js';
import type { Route } from './served-endpoints.js';

export interface ExpressAppOptions {
  readonly routes: readonly Route[];
  readonly serve: Serve;
  readonly operations: Operations;
  readonly log: Log;
  /** Asked for what no route is for; undefined where none is open. */
  readonly doors?: Doors | undefined;
}

/** The part of the server that finds its way by path patterns: every route, `/`, and the refusal of all else. */
export function createExpressApp({ routes, serve, operations, log, doors }: ExpressAppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);

  for (const route of routes) {
    const verb = route.method.toLowerCase() as Lowercase<Route['method']>;
    app[verb](route.path, (request: Request<Record<string, string>>, response) =>
      serve(route, { request, response, params: request.params }),
    );
  }
  app.get('/', async (_request, response) => sendJson(response, 200, await pointer(operations)));

  for (const [path, allow] of methodsByPath(routes)) {
    app.all(path, (_request, response: AllowingResponse, next) => {
      (response.locals.allow ??= new Set()).add(allow);
      next();
    });
  }
  app.use(async (request: Request, response: AllowingResponse) => {
    const reply = response.locals.allow === undefined ? await doors?.answer(request) : undefined;
    if (reply === undefined) refuse(request, response, log);
    else if (reply.body instanceof Uint8Array) sendBytes(response, reply.status, reply.body);
    else sendRefusal({ request, response }, reply);
  });
  // Express knows an error handler by its four parameters.
  // oxlint-disable-next-line max-params
  const onError: ErrorRequestHandler = (error: unknown, request, response, _next) => {
    sendError({ request, response, error: asPathError(error), log });
  };
  app.use(onError);
  return app;
}

type AllowingResponse = Response<unknown, { allow?: Set<string> }>;

function refuse(request: Request, response: AllowingResponse, log: Log): void {
  const asked = `${request.method} ${request.path.slice(0, 256)}`;
  const { allow } = response.locals;
  if (!allow) {
    const error = new JobForgeError('ROUTE_NOT_FOUND', { message: `Nothing is served at ${asked}.` });
    return sendError({ request, response, error, log });
  }
  const methods = [...new Set([...allow].flatMap((methodList) => methodList.split(', ')))].join(', ');
  const error = new JobForgeError('METHOD_NOT_ALLOWED', {
    message: `${asked} is not served; this path takes ${methods}.`,
  });
  sendError({ request, response, error, log, headers: ['allow', methods] });
}

function methodsByPath(routes: readonly Route[]): Map<string, string> {
  const methods = new Map<string, string[]>([['/', ['GET', 'HEAD']]]);
  for (const { path, method } of routes) {
    methods.set(path, [...(methods.get(path) ?? []), ...(method === 'GET' ? ['GET', 'HEAD'] : [method])]);
  }
  return new Map([...methods].map(([path, names]) => [path, names.join(', ')]));
}

// The router marks a parameter that it cannot decode with the status 400; nothing else here carries one.
function asPathError(error: unknown): unknown {
  const undecodable =
    typeof error === 'object' && error !== null && 'status' in error && error.status === 400;
  return undecodable ? new URIError() : error;
}

async function pointer(operations: Operations): Promise<unknown> {
  const { version } = await operations.health();
  return {
    name: 'jobforge',
    version,
    links: { jobs: '/jobs', runners: '/runners', health: '/health', ready: '/readyz' },
  };
}
