import { isTerminalEvent, type ExecutionEvent } from '@controlplane/contracts';
import { eventLine } from './event-lines.js';
import { fitEvent, type EventLimits } from './event-sizes.js';
import { unsentEvents, type OfferedExecution, type OfferWire } from './offered-executions.js';

/** UTF-16 units of events that are gathered into one frame. */
const FRAME_LENGTH = 256 * 1024;

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

/** Events as the members of a JSON array. */
function eventsJson(execution: OfferedExecution, events: readonly ExecutionEvent[], limits: EventLimits): string {
  const lines = events.map((event) => {
    const line = eventLine(event, execution.subscription?.dataJson()).trimEnd();
    // A UTF-16 unit is at most three bytes of UTF-8: most ends need not be measured.
    if (!isTerminalEvent(event) || line.length * 3 <= limits.maxBytes / 2) return line;
    const fitting = fitEvent(event, limits, Buffer.byteLength(line));
    return fitting === event ? line : JSON.stringify(fitting);
  });
  return lines.join(',');
}

const leaseOf = (leaseToken: string | undefined): string =>
  leaseToken === undefined ? '' : `,"leaseToken":${JSON.stringify(leaseToken)}`;

/** Makes a writer that has nothing to say. */
export function createFrameWriter({ send, isOpen, service }: FrameWriterOptions): FrameWriter {
  let maxBytes = DEFAULT_LIMIT_BYTES;
  let accepts: OfferedExecution[] = [];
  let dirty = new Set<OfferedExecution>();
  let isScheduled = false;
  let isBlocked = false;

  function flushAccepts(): void {
    if (accepts.length === 0 || !isOpen()) return;
    const claimed = accepts.filter(({ claim }) => claim !== undefined);
    accepts = [];
    if (claimed.length === 0) return;
    const members = claimed.map(({ executionId, leaseToken }) => `{"executionId":"${executionId}"${leaseOf(leaseToken)}}`);
    send(`{"type":"accept","executions":[${members.join(',')}]}`);
  }

  function sendEvents(members: readonly string[]): void {
    if (members.length === 0) return;
    if (!send(`{"type":"events","executions":[${members.join(',')}]}`)) isBlocked = true;
  }

  /** One execution's share of a frame; nothing when it has said all. */
  function memberOf(execution: OfferedExecution): string | undefined {
    const events = unsentEvents(execution);
    const last = events.at(-1);
    if (!last) return undefined;
    execution.sentSeq = last.seq;
    const json = eventsJson(execution, events, { maxBytes, service });
    return `{"executionId":"${execution.executionId}"${leaseOf(execution.leaseToken)},"events":[${json}]}`;
  }

  function flush(): void {
    isScheduled = false;
    flushAccepts();
    let members: string[] = [];
    let length = 0;
    for (const execution of dirty) {
      // A slow connection must not fill the memory: events wait in the executions' own bounds.
      if (isBlocked || !isOpen()) break;
      dirty.delete(execution);
      const member = memberOf(execution);
      if (member === undefined) continue;
      if (length > 0 && length + member.length > FRAME_LENGTH) {
        sendEvents(members);
        members = [];
        length = 0;
      }
      members.push(member);
      length += member.length;
    }
    sendEvents(members);
  }

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(flush);
  }

  return {
    flushAccepts,
    accept(execution) {
      accepts.push(execution);
      schedule();
    },
    events(execution) {
      dirty.add(execution);
      if (!isBlocked) schedule();
    },
    resume() {
      isBlocked = false;
      schedule();
    },
    reset() {
      isBlocked = false;
      accepts = [];
      dirty = new Set();
    },
    setLimit(bytes) {
      maxBytes = bytes ?? DEFAULT_LIMIT_BYTES;
    },
  };
}
