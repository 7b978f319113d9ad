import type { Caller } from '../model/caller.js';
import type { BodyOf, JsonName, QueryOf, ReplyOf } from './served-endpoints.js';

/** What a handler is given, read by the endpoint's schemas. */
export interface Call<Body, Query> {
  /** The `:id` of the path; empty where the path has none. */
  readonly id: string;
  readonly body: Body;
  readonly query: Query;
  /** Who asks. */
  readonly caller: Caller;
}

/** What a handler answers. */
export interface Answer<Body = unknown> {
  /** Default: the endpoint's own. */
  readonly status?: number;
  readonly body: Body;
}

/** One function an endpoint: what is asked of the operations, and with which status it is answered. */
export type Handlers = {
  readonly [Name in JsonName]: (call: Call<BodyOf<Name>, QueryOf<Name>>) => Promise<Answer<ReplyOf<Name>>>;
};
