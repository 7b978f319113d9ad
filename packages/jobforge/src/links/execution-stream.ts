import { isTerminalEvent, NDJSON } from '@controlplane/contracts';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { readLine, readReply, protocolFailure } from './execute-reply.js';
import { readBody, watchConnection } from './http-post.js';
import { createLineParser } from './ndjson-lines.js';
import type { LinkFailure, LinkListener } from './runner-link.js';

/** What the two kinds of exchange share. */
export interface Exchange {
  readonly request: ClientRequest;
  /** Executions of this request that have not ended, by id. Entries are taken out as they end. */
  readonly listeners: Map<string, LinkListener>;
  readonly maxBytes: number;
  readonly now: () => string;
  /** Nothing more comes. */
  readonly ended: () => void;
}

function failAll({ listeners }: Exchange, failure: LinkFailure): void {
  for (const [executionId, listener] of [...listeners]) {
    listeners.delete(executionId);
    listener.onFailure(failure);
  }
}

/** Fails whatever is left when a request comes to its end, one way or another. */
function watchEnd(exchange: Exchange): void {
  const connection = watchConnection(exchange.request);
  let message = 'the connection was closed before the execution had ended';
  exchange.request.on('error', (error) => (message = error.message));
  exchange.request.on('timeout', () => {
    if (exchange.listeners.size === 0) exchange.request.destroy();
  });
  exchange.request.on('close', () => {
    exchange.ended();
    failAll(exchange, { kind: connection.connected ? 'broken' : 'not-delivered', message });
  });
}

function onWholeReply(exchange: Exchange, response: IncomingMessage): void {
  readBody(response, exchange.maxBytes, (outcome) => {
    if ('error' in outcome) {
      const message = `The runner's reply could not be read: ${outcome.error.message}.`;
      return failAll(exchange, outcome.tooLarge ? protocolFailure(message) : { kind: 'broken', message });
    }
    const retryAfter = response.headers['retry-after'];
    const several = exchange.listeners.size > 1;
    for (const [executionId, listener] of [...exchange.listeners]) {
      exchange.listeners.delete(executionId);
      const { body } = outcome;
      const read = readReply({
        status: response.statusCode ?? 0,
        body,
        retryAfter,
        executionId,
        at: exchange.now(),
      });
      if ('event' in read && read.event.type === 'succeeded' && several) {
        listener.onFailure(protocolFailure('The runner answered a batch of executions with one result.'));
      } else if ('event' in read) listener.onEvent(read.event);
      else listener.onFailure(read.failure);
    }
  });
}

/** The JSON form: one execution, its request written counts as accepted, its reply is its end. */
export function exchangeJson(exchange: Exchange): void {
  watchEnd(exchange);
  let accepted = false;
  const accept = (): void => {
    if (accepted) return;
    accepted = true;
    for (const [executionId, listener] of exchange.listeners) {
      listener.onEvent({ type: 'accepted', executionId, seq: 0, at: exchange.now() });
    }
  };
  exchange.request.on('finish', accept);
  exchange.request.on('response', (response) => {
    if (response.statusCode === 200) accept();
    onWholeReply(exchange, response);
  });
}

const NAMED_EXECUTION = /"executionId"\s*:\s*"([A-Za-z0-9._:-]{1,128})"/;

function onLine({ listeners }: Exchange, line: string): void {
  const { executionId, reply } = readLine(line);
  const listener = executionId === undefined ? undefined : listeners.get(executionId);
  if (executionId === undefined || listener === undefined) return;
  if ('failure' in reply) {
    listeners.delete(executionId);
    listener.onFailure(reply.failure);
    return;
  }
  if (isTerminalEvent(reply.event)) listeners.delete(executionId);
  listener.onEvent(reply.event);
}

function onOverlong(exchange: Exchange, prefix: string): void {
  const executionId = NAMED_EXECUTION.exec(prefix)?.[1];
  const listener = executionId === undefined ? undefined : exchange.listeners.get(executionId);
  if (executionId === undefined || listener === undefined) return;
  exchange.listeners.delete(executionId);
  listener.onFailure(protocolFailure(`The runner sent a line of more than ${exchange.maxBytes} bytes.`));
}

/** The streaming forms: every event a line, of one execution or of many. */
export function exchangeStream(exchange: Exchange): void {
  watchEnd(exchange);
  exchange.request.on('response', (response) => {
    if (response.statusCode !== 200 || !response.headers['content-type']?.startsWith(NDJSON)) {
      return onWholeReply(exchange, response);
    }
    const encoding = response.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      failAll(
        exchange,
        protocolFailure(`The runner sent events in the content-encoding ${encoding.slice(0, 64)}.`),
      );
      return void response.destroy();
    }
    const parser = createLineParser(exchange.maxBytes, {
      onLine: (line) => onLine(exchange, line),
      onOverlong: (prefix) => onOverlong(exchange, prefix),
    });
    response.on('data', (chunk: Buffer) => {
      // Nobody waits for what comes after the last terminal event.
      if (exchange.listeners.size === 0) response.destroy();
      else parser.push(chunk);
    });
    response.on('end', () => parser.end());
    // What the error leaves open is failed when the request closes.
    response.on('error', () => undefined);
  });
}
