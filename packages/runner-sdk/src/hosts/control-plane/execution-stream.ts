import type { ServerResponse } from 'node:http';
import { isTerminalEvent, NDJSON, type ExecutionEvent } from '@controlplane/contracts';
import type { EventSink, ExecutionRequest, Subscription } from '../../execution/execute.js';
import { eventLine } from './event-lines.js';

/** UTF-16 units that may gather before they are written within the same turn of the event loop. */
const FLUSH_LENGTH = 256 * 1024;

interface Follower {
  readonly stream: Stream;
  subscription: Subscription | undefined;
  nextSeq: number;
  done: boolean;
}

interface Stream {
  readonly response: ServerResponse;
  followers: Follower[];
  open: number;
  pending: string;
  flushing: boolean;
  /** The executions are being started: their acceptances leave together, once all are. */
  starting: boolean;
  /** The reader is behind: events stay with their executions until it has caught up. */
  blocked: boolean;
}

function flush(stream: Stream): void {
  stream.flushing = false;
  const { response, pending, open } = stream;
  if (response.destroyed || response.writableEnded) return;
  stream.pending = '';
  // As bytes once: text would be measured, then encoded.
  const bytes = Buffer.from(pending);
  if (open === 0) {
    if (!response.headersSent) response.setHeader('content-length', bytes.length);
    response.end(bytes);
    return;
  }
  if (bytes.length === 0) return;
  if (!response.write(bytes)) stream.blocked = true;
  // Node holds the first write back for a turn; an acceptance must not wait for handlers that start in it.
  response.socket?.uncork();
}

function writeEvent(follower: Follower, event: ExecutionEvent, dataJson: string | undefined): void {
  const { stream } = follower;
  if (follower.done || event.seq < follower.nextSeq) return;
  follower.nextSeq = event.seq + 1;
  stream.pending += eventLine(event, dataJson);
  if (isTerminalEvent(event)) {
    follower.done = true;
    stream.open--;
  }
  if (stream.starting) return;
  if (event.type === 'accepted' || stream.pending.length > FLUSH_LENGTH) return flush(stream);
  if (stream.flushing) return;
  stream.flushing = true;
  // What happens in one turn of the event loop leaves in one write.
  setImmediate(flush, stream);
}

/** Nothing more is said of it here. Before it was accepted, that takes it back: its handler does not start. */
function leaveOut(follower: Follower): void {
  const { stream, subscription } = follower;
  follower.done = true;
  subscription?.detach();
  stream.open--;
  if (stream.open === 0) flush(stream);
}

function take(follower: Follower, event: ExecutionEvent, dataJson: string | undefined): void {
  const { stream } = follower;
  if (stream.blocked) {
    // Behind what nobody reads it would come when the execution is long offered elsewhere.
    if (event.type === 'accepted' && !follower.done) leaveOut(follower);
    return;
  }
  // What ended a while ago is told once all are started: acceptances must not wait behind it.
  if (stream.starting && event.type !== 'accepted' && stream.pending.length > FLUSH_LENGTH) return;
  writeEvent(follower, event, dataJson);
}

function catchUp(stream: Stream): void {
  stream.blocked = false;
  for (const follower of stream.followers) {
    const { subscription } = follower;
    if (follower.done || !subscription) continue;
    for (const event of subscription.eventsFrom(follower.nextSeq)) {
      if (stream.blocked) return;
      writeEvent(follower, event, subscription.dataJson());
    }
  }
}

/** Events that are already known, for what could not be started. */
export type Entry = { readonly request: ExecutionRequest } | { readonly event: ExecutionEvent };

/**
 * Writes the events of one or many executions as they happen, a line each, and ends with the last of them.
 * Acceptances are with the system before any handler starts; later events leave once a turn of the event loop.
 * A reader that leaves does not stop them; one that is slow makes them wait in the executions' own bounds, and what
 * would be accepted while it is behind is not run.
 * @param response - a response that nothing has been written to
 * @param entries - what to run, and what is to be said of the rest
 * @param run - the executor's
 */
export function streamExecutions(
  response: ServerResponse,
  entries: readonly Entry[],
  run: (request: ExecutionRequest, sink: EventSink) => Subscription,
): void {
  // Nothing can be accepted any more, so nothing may run.
  if (response.destroyed) return;
  const stream: Stream = {
    response,
    followers: [],
    open: entries.length,
    pending: '',
    flushing: false,
    starting: true,
    blocked: false,
  };
  response.statusCode = 200;
  response.setHeader('content-type', NDJSON);
  response.on('drain', () => catchUp(stream));
  response.on('close', () => {
    for (const { subscription } of stream.followers) subscription?.detach();
  });
  for (const entry of entries) {
    const follower: Follower = { stream, subscription: undefined, nextSeq: 0, done: false };
    stream.followers.push(follower);
    if ('event' in entry) {
      writeEvent(follower, entry.event, undefined);
      continue;
    }
    follower.subscription = run(entry.request, (event, dataJson) => take(follower, event, dataJson));
  }
  stream.starting = false;
  flush(stream);
}
