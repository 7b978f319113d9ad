import type { IncomingMessage } from 'node:http';
import type { Exchange, Route, ServedName } from './served-endpoints.js';

/** The endpoints that are asked thousands of times a second: answered without express. */
const HOT: ReadonlySet<ServedName> = new Set<ServedName>([
  'submitJob',
  'submitJobs',
  'heartbeat',
  'pollRunner',
  'acceptExecution',
  'recordEvents',
]);

/** A path of three parts whose second is an id that needs no decoding. */
const WITH_ID = /^\/([a-z]+)\/([A-Za-z0-9._:-]{1,128})\/([a-z]+)$/;

/** Finds the hot route of a request without matching patterns one after the other; undefined for all others. */
export function createHotRoutes(
  routes: readonly Route[],
): (request: IncomingMessage) => { route: Route; params: Exchange['params'] } | undefined {
  const hot = routes.filter(({ name, method }) => HOT.has(name) && method === 'POST');
  const byPath = new Map(hot.map((route) => [route.path, route]));
  return ({ method, url = '' }) => {
    if (method !== 'POST') return undefined;
    const exact = byPath.get(url);
    if (exact !== undefined) return { route: exact, params: {} };
    const parts = WITH_ID.exec(url);
    if (parts === null) return undefined;
    const [, first, id = '', last] = parts;
    const route = byPath.get(`/${first}/:id/${last}`);
    return route && { route, params: { id } };
  };
}
