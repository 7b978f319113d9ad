import type { ExecutionEvent } from '@controlplane/contracts';
import { batchOf } from './event-batch.js';
import { eventLine } from './event-lines.js';
import { fitEvent, OVERHEAD_BYTES, type EventLimits } from './event-sizes.js';
import { unsentEvents, type OfferedExecution, type OfferWire } from './offered-executions.js';

/** Bytes of the events of several executions that are gathered into one frame. */
const FRAME_BYTES = 256 * 1024;

/** Bytes of a frame that the control plane reads, where it has not said so. */
const DEFAULT_LIMIT_BYTES = 4 * 1024 * 1024;

/** What a writer of frames needs. */
export interface FrameWriterOptions {
  /** @returns false when no more should follow before {@link FrameWriter.resume} */
  readonly send: (text: string) => boolean;
  readonly isOpen: () => boolean;
  /** The runner's name. */
  readonly service: string;
}

/** Gathers what happens in one turn of the event loop into one message for each kind. */
export interface FrameWriter extends OfferWire {
  /** Sends the accepts that have gathered, at once. */
  flushAccepts(): void;
  /** The connection has caught up. */
  resume(): void;
  /** The connection is gone, and what was not sent over it is to be told again. */
  reset(): void;
  /** The most bytes that the control plane reads at once. */
  setLimit(maxBytes: number | undefined): void;
}

/** An event as it is sent. */
interface Line {
  readonly seq: number;
  readonly json: string;
  readonly bytes: number;
}

function lineOf(execution: OfferedExecution, event: ExecutionEvent, limits: EventLimits): Line {
  const { seq } = event;
  const json = eventLine(event, execution.subscription?.dataJson()).trimEnd();
  const bytes = Buffer.byteLength(json);
  const fitting = fitEvent(event, limits, bytes);
  if (fitting === event) return { seq, json, bytes };
  const instead = JSON.stringify(fitting);
  return { seq, json: instead, bytes: Buffer.byteLength(instead) };
}

const leaseOf = (leaseToken: string | undefined): string =>
  leaseToken === undefined ? '' : `,"leaseToken":${JSON.stringify(leaseToken)}`;

interface State extends FrameWriterOptions {
  maxBytes: number;
  accepts: OfferedExecution[];
  dirty: Set<OfferedExecution>;
  isScheduled: boolean;
  isBlocked: boolean;
}

function flushAccepts(state: State): void {
  if (state.accepts.length === 0 || !state.isOpen()) return;
  const claimed = state.accepts.filter(({ claim }) => claim !== undefined);
  state.accepts = [];
  if (claimed.length === 0) return;
  const members = claimed.map(
    ({ executionId, leaseToken }) => `{"executionId":"${executionId}"${leaseOf(leaseToken)}}`,
  );
  state.send(`{"type":"accept","executions":[${members.join(',')}]}`);
}

function sendEvents(state: State, members: readonly string[]): void {
  if (members.length === 0) return;
  if (!state.send(`{"type":"events","executions":[${members.join(',')}]}`)) state.isBlocked = true;
}

/** One execution's share of a frame. */
interface Member {
  readonly json: string;
  readonly bytes: number;
}

/** The next share of an execution, which stays dirty when that is not all; nothing when it has said all. */
function memberOf(state: State, execution: OfferedExecution): Member | undefined {
  const { maxBytes, service } = state;
  const unsent = unsentEvents(execution);
  const batch = batchOf(unsent, maxBytes, (event) => lineOf(execution, event, { maxBytes, service }));
  const last = batch.at(-1);
  if (!last) return undefined;
  execution.sentSeq = last.seq;
  if (batch.length < unsent.length) state.dirty.add(execution);
  const events = batch.map(({ json }) => json).join(',');
  const head = `{"executionId":"${execution.executionId}"${leaseOf(execution.leaseToken)},"events":[`;
  return {
    json: `${head}${events}]}`,
    // And a comma after each event, and what closes it.
    bytes: batch.reduce((sum, { bytes }) => sum + bytes + 1, head.length + 2),
  };
}

function flush(state: State): void {
  state.isScheduled = false;
  flushAccepts(state);
  let members: string[] = [];
  let bytes = 0;
  const frameBytes = Math.min(FRAME_BYTES, state.maxBytes - OVERHEAD_BYTES);
  // Those that have more to say are met again after all the others.
  for (const execution of state.dirty) {
    // A slow connection must not fill the memory: events wait in the executions' own bounds.
    if (state.isBlocked || !state.isOpen()) break;
    state.dirty.delete(execution);
    const member = memberOf(state, execution);
    if (member === undefined) continue;
    if (bytes > 0 && bytes + member.bytes > frameBytes) {
      sendEvents(state, members);
      members = [];
      bytes = 0;
    }
    members.push(member.json);
    bytes += member.bytes;
  }
  sendEvents(state, members);
}

function schedule(state: State): void {
  if (state.isScheduled) return;
  state.isScheduled = true;
  setImmediate(flush, state);
}

/** Makes a writer that has nothing to say. */
export function createFrameWriter(options: FrameWriterOptions): FrameWriter {
  const state: State = {
    ...options,
    maxBytes: DEFAULT_LIMIT_BYTES,
    accepts: [],
    dirty: new Set(),
    isScheduled: false,
    isBlocked: false,
  };
  return {
    flushAccepts: () => flushAccepts(state),
    accept(execution) {
      state.accepts.push(execution);
      schedule(state);
    },
    events(execution) {
      state.dirty.add(execution);
      if (!state.isBlocked) schedule(state);
    },
    resume() {
      state.isBlocked = false;
      schedule(state);
    },
    reset() {
      state.isBlocked = false;
      state.accepts = [];
      state.dirty = new Set();
    },
    setLimit(bytes) {
      state.maxBytes = bytes ?? DEFAULT_LIMIT_BYTES;
    },
  };
}
