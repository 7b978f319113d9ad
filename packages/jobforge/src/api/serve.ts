import type { Log } from '../model/log.js';
import { sendError } from './error-reply.js';
import type { Exchange, Route } from './served-endpoints.js';

/** Lets a route answer a request. Never rejects: what a route throws becomes the answer. */
export type Serve = (route: Route, exchange: Exchange) => Promise<void>;

export function createServe(log: Log): Serve {
  return async (route, exchange) => {
    try {
      await route.answer(exchange);
    } catch (error) {
      sendError({ request: exchange.request, response: exchange.response, error, log });
    }
  };
}
