import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { isFinalStatus, JobEventsQuery, type JobEvent } from '@controlplane/contracts';
import { parseEventId } from '../model/job-event.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { Operations } from '../model/operations.js';
import { readJson } from './body-reader.js';
import { HTTP_LIMITS } from './http-limits.js';
import { SECURITY_HEADERS } from './json-reply.js';
import { idOf, parseAs, queryOf } from './request-parsing.js';
import type { Exchange } from './served-endpoints.js';

export interface EventStreamOptions {
  readonly operations: Operations;
  /** Aborted when the server closes: event streams end. */
  readonly closing: AbortSignal;
  /** Milliseconds between two comments on a stream that has nothing else to say. */
  readonly keepAliveMs: number;
}

/**
 * Answers `GET /jobs/:id/events` with server-sent events: what has happened, then what happens, until the
 * job has ended, the reader leaves or the server closes. A reader that comes back with `Last-Event-ID` (or
 * `?lastEventId`) goes on where it left; `?follow=false` ends after what has happened so far.
 */
export async function streamJobEvents(exchange: Exchange, options: EventStreamOptions): Promise<void> {
  const { request, response, params } = exchange;
  const id = idOf(params, 'JOB_NOT_FOUND');
  await readJson(request);
  const { status } = await options.operations.showJob(id, { plain: true });
  const query = parseAs(JobEventsQuery, queryOf(request.url), { name: 'jobEvents', part: 'query' });
  const afterId = eventIdOf(headerValue(request.headers['last-event-id']) ?? query.lastEventId);
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  response.once('close', leave);
  options.closing.addEventListener('abort', leave);
  if (response.destroyed || options.closing.aborted) leave();
  const events = options.operations
    .jobEvents(id, {
      signal: leaving.signal,
      ...(afterId ? { afterId } : {}),
      ...(query.follow === 'false' ? { follow: false } : {}),
    })
    [Symbol.asyncIterator]();
  try {
    // A browser comes back for ever to a stream that has ended, unless it is told that nothing follows.
    const first = afterId && isFinalStatus(status) ? await events.next() : undefined;
    if (first?.done) {
      response.writeHead(204, [...SECURITY_HEADERS]);
      response.end();
      return;
    }
    await writeStream({ response, events, first: first?.value, keepAliveMs: options.keepAliveMs });
  } finally {
    response.off('close', leave);
    options.closing.removeEventListener('abort', leave);
    leave();
    await events.return?.();
  }
}

// The history refuses this too, but only once it is read: after the head has been sent.
function eventIdOf(sent: string | undefined): string | undefined {
  if (!sent || parseEventId(sent)) return sent || undefined;
  throw new JobForgeError('VALIDATION_ERROR', {
    message: `${JSON.stringify(sent.slice(0, 128))} is no event id: expected the \`id\` of an event that was received before.`,
  });
}

function headerValue(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

interface StreamOptions {
  readonly response: ServerResponse;
  readonly events: AsyncIterator<JobEvent>;
  readonly first: JobEvent | undefined;
  readonly keepAliveMs: number;
}

async function writeStream({ response, events, first, keepAliveMs }: StreamOptions): Promise<void> {
  response.writeHead(200, [
    'content-type',
    'text/event-stream; charset=utf-8',
    'x-accel-buffering',
    'no',
    ...SECURITY_HEADERS,
  ]);
  if (response.req.method === 'HEAD') {
    response.end();
    return;
  }
  response.write('retry: 1000\n\n');
  const stop = keepAlive(response, keepAliveMs);
  try {
    if (first) await write(response, first);
    for (let step = await events.next(); !step.done && !response.destroyed; step = await events.next()) {
      await write(response, step.value);
    }
  } finally {
    stop();
  }
  response.end();
}

async function write(response: ServerResponse, event: JobEvent): Promise<void> {
  if (response.write(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)) return;
  const closed = new AbortController();
  const onClose = (): void => closed.abort();
  response.once('close', onClose);
  try {
    if (!response.destroyed) await once(response, 'drain', { signal: closed.signal });
  } catch (error) {
    if (!closed.signal.aborted) throw error;
  } finally {
    response.off('close', onClose);
  }
}

/** Comments keep proxies from closing a quiet stream, and show when its reader has stopped reading. */
function keepAlive(response: ServerResponse, everyMs: number): () => void {
  let unread = 0;
  const timer = setInterval(() => {
    unread = response.writableNeedDrain ? unread + 1 : 0;
    if (unread >= HTTP_LIMITS.stalledComments) response.destroy();
    else if (unread === 0) response.write(': keep-alive\n\n');
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
