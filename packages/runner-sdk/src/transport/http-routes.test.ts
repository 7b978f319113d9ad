import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { createHttpRoutes, type HttpRoute } from './http-routes.js';

/** What the routes do with a request: the route and its parameters, `refused`, `next`, or the error that they pass on. */
function ask(method: string, url: string): unknown {
  let seen: unknown = 'nothing';
  const route = (verb: HttpRoute['method'], path: string): HttpRoute => ({
    method: verb,
    path,
    handle(_request, _response, params) {
      if (params['executionId'] === 'throws') throw new RangeError('thrown');
      seen = { path, ...params };
    },
    refuse: () => void (seen = 'refused'),
  });
  const routes = createHttpRoutes([
    route('GET', '/health'),
    route('GET', '/openapi.json'),
    route('POST', '/executions/:executionId/cancel'),
  ]);
  routes({ method, url } as IncomingMessage, {} as ServerResponse, (error) => void (seen = error ?? 'next'));
  return seen;
}

test.each([
  ['GET', '/health', { path: '/health' }],
  ['HEAD', '/health', { path: '/health' }],
  ['GET', '/health/', { path: '/health' }],
  ['GET', '/Health', { path: '/health' }],
  ['GET', '/health?verbose=1', { path: '/health' }],
  ['POST', '/executions/a%2Fb/cancel', { path: '/executions/:executionId/cancel', executionId: 'a/b' }],
  ['POST', '/health', 'refused'],
  ['HEAD', '/executions/a/cancel', 'refused'],
  ['GET', '/', 'next'],
  ['GET', '/healthy', 'next'],
  ['GET', '/openapixjson', 'next'],
  ['POST', '/executions//cancel', 'next'],
  ['POST', '/executions/a/b/cancel', 'next'],
])('%s %s', (method, url, expected) => {
  expect(ask(method, url)).toEqual(expected);
});

test('what a route throws and a path that cannot be decoded are passed on as errors', () => {
  expect(ask('POST', '/executions/throws/cancel')).toBeInstanceOf(RangeError);
  expect(ask('POST', '/executions/%E0%A4%A/cancel')).toBeInstanceOf(URIError);
});
