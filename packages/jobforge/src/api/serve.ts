import type { Log } from '../model/log.js';
import { sendError } from './error-reply.js';
import type { HttpMeters } from './http-meters.js';
import type { Authenticate } from './authentication.js';
import type { Incoming, Route } from './served-endpoints.js';

/** Lets a route answer a request. Never rejects: what a route throws becomes the answer. */
export type Serve = (route: Route, incoming: Incoming) => Promise<void>;

export interface ServeOptions {
  readonly log: Log;
  readonly authenticate: Authenticate;
  readonly meters: HttpMeters;
  /** Milliseconds on a clock that only rises. Default: performance.now. */
  readonly stopwatch?: () => number;
}

export function createServe({
  log,
  authenticate,
  meters,
  stopwatch = () => performance.now(),
}: ServeOptions): Serve {
  return async (route, incoming) => {
    const { request, response, params } = incoming;
    const began = stopwatch();
    try {
      const asks = authenticate(route.name, request, params);
      // What is known at once is not waited for: most requests are.
      const caller = asks instanceof Promise ? await asks : asks;
      await route.answer({ request, response, params, caller });
    } catch (error) {
      sendError({ request, response, error, log });
    }
    meters.count(route.name, response.statusCode, stopwatch() - began);
  };
}
