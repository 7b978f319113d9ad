import type { IncomingMessage, ServerResponse } from 'node:http';
import { ENDPOINTS, type Endpoint, type EndpointName } from '@controlplane/contracts';
import type { z } from 'zod';
import type { Caller } from '../model/caller.js';

type Table = typeof ENDPOINTS;

/** The endpoints of the contract that JobForge serves. */
export type ServedName = {
  [Name in EndpointName]: Table[Name]['server'] extends 'jobforge' ? Name : never;
}[EndpointName];

/** Those that answer with one JSON document. */
export type JsonName = Exclude<
  ServedName,
  | 'jobEvents'
  | 'jobLogs'
  | 'putArtifact'
  | 'getArtifact'
  | 'putFile'
  | 'putResult'
  | 'getFile'
  | 'metrics'
  | 'pollRunner'
  | 'connectRunner'
>;

type Output<Row, Key extends string> = Row extends { readonly [K in Key]: infer Schema extends z.ZodType }
  ? z.output<Schema>
  : undefined;
export type BodyOf<Name extends JsonName> = Output<Table[Name], 'request'>;
export type QueryOf<Name extends JsonName> = Output<Table[Name], 'query'>;
export type ReplyOf<Name extends JsonName> = z.output<Table[Name]['response']>;

/** The served endpoints in the order of the table. */
export const SERVED_NAMES: readonly ServedName[] = (Object.keys(ENDPOINTS) as EndpointName[]).filter(
  (name): name is ServedName => ENDPOINTS[name].server === 'jobforge',
);

/** A request and what answers it. */
export interface Incoming {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Parameters of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
}

/** A request of somebody who may make it. */
export interface Exchange extends Incoming {
  readonly caller: Caller;
}

/** One endpoint as it is served. */
export interface Route {
  readonly name: ServedName;
  readonly method: Endpoint['method'];
  readonly path: string;
  /** Answers, or throws what the caller is to be told. */
  readonly answer: (exchange: Exchange) => Promise<void>;
}
