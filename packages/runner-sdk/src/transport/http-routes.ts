import type { IncomingMessage, ServerResponse } from 'node:http';

/** One path and who answers it. */
export interface HttpRoute {
  readonly method: 'GET' | 'POST';
  /** Parameters are written `:name`; a slash at the end and the case of letters do not matter. */
  readonly path: string;
  readonly handle: (
    request: IncomingMessage,
    response: ServerResponse,
    params: Readonly<Record<string, string>>,
  ) => void;
  /** Answers the same path with another method. */
  readonly refuse: (request: IncomingMessage, response: ServerResponse) => void;
}

/** A middleware as express, connect and their like mount one. */
export type HttpMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

const toPattern = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:([A-Za-z]+)/g, '(?<$1>[^/]+)')}/?$`, 'i');

/** The methods that a route serves: whoever may read a document may ask for its head. */
const serves = (route: HttpRoute, method: string | undefined): boolean =>
  method === route.method || (method === 'HEAD' && route.method === 'GET');

interface Found {
  readonly route: HttpRoute;
  readonly groups: Readonly<Record<string, string>> | undefined;
}

const NO_PARAMS: Readonly<Record<string, string>> = {};

const decoded = (groups: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, decodeURIComponent(text)]));

/**
 * Makes a middleware of a few routes. A runner serves a dozen: a general router would cost more at start than
 * everything else that the runner loads.
 * @returns it leaves other paths to what follows, and tells it of a path that cannot be decoded
 */
export function createHttpRoutes(routes: readonly HttpRoute[]): HttpMiddleware {
  const table = routes.map((route) => ({ route, pattern: toPattern(route.path) }));
  // What most requests ask for is found as it is written.
  const plain = new Map(routes.filter(({ path }) => !path.includes(':')).map((route) => [route.path, route]));

  function find(request: IncomingMessage): Found | undefined {
    const known = plain.get(request.url ?? '/');
    if (known) return { route: known, groups: undefined };
    const path = (request.url ?? '/').replace(/[?#].*$/s, '');
    for (const { route, pattern } of table) {
      const match = pattern.exec(path);
      if (match) return { route, groups: match.groups };
    }
    return undefined;
  }

  return (request, response, next) => {
    const found = find(request);
    if (!found) return next();
    const { route, groups } = found;
    if (!serves(route, request.method)) return route.refuse(request, response);
    // A request must not end the process, whatever is wrong with it or with who answers it.
    try {
      route.handle(request, response, groups ? decoded(groups) : NO_PARAMS);
    } catch (error) {
      next(error);
    }
  };
}
