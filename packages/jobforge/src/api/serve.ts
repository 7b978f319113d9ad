import type { Log } from '../model/log.js';
import { sendError } from './error-reply.js';
import type { HttpMeters } from './http-meters.js';
import type { Exchange, Route } from './served-endpoints.js';

/** Lets a route answer a request. Never rejects: what a route throws becomes the answer. */
export type Serve = (route: Route, exchange: Exchange) => Promise<void>;

export interface ServeOptions {
  readonly log: Log;
  readonly meters: HttpMeters;
  /** Milliseconds on a clock that only rises. Default: performance.now. */
  readonly stopwatch?: () => number;
}

export function createServe({ log, meters, stopwatch = () => performance.now() }: ServeOptions): Serve {
  return async (route, exchange) => {
    const began = stopwatch();
    try {
      await route.answer(exchange);
    } catch (error) {
      sendError({ request: exchange.request, response: exchange.response, error, log });
    }
    meters.count(route.name, exchange.response.statusCode, stopwatch() - began);
  };
}
