import { DEFAULTS, envelopeOf } from '@controlplane/contracts';
import { errorReply } from '../control-plane-script.js';
import type { RecordedMessage } from '../recorded-message.js';
import { takeOffers, type DialInState, type Door } from './dial-in.js';
import type { Told } from './offer-book.js';

/** What a request is answered with; nothing at all for `silence`. */
export type PollReply =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly text: string }
  | 'silence'
  | 'drop';

/** The request that an answer goes to, as far as a door needs it. */
export interface OpenRequest {
  reply(reply: PollReply): void;
  readonly closed: AbortSignal;
}

interface OpenPoll {
  readonly request: OpenRequest;
  readonly room: number;
  readonly timer: NodeJS.Timeout;
}

/** What a runner that polls comes in by. */
export interface PollDoor extends Door {
  poll(message: RecordedMessage, request: OpenRequest): void;
  accept(message: RecordedMessage): PollReply;
  events(message: RecordedMessage): PollReply;
}

const json = (body: unknown): PollReply => ({ status: 200, text: JSON.stringify(body) });

/** A path segment as it was meant; as it is where it is no encoding of anything. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

const executionOf = ({ path, json: body }: RecordedMessage): Told => ({
  ...(Object(body) as Omit<Told, 'executionId'>),
  executionId: decoded(path.split('/')[2] ?? ''),
});

function denied(verdict: 'withhold' | 'LEASE_SUPERSEDED' | 'EXECUTION_NOT_FOUND'): PollReply {
  if (verdict === 'withhold') return 'drop';
  return errorReply(envelopeOf(verdict, { service: 'contract-test-kit' }));
}

/** Slots that a poll asks for. */
function roomOf({ json: body }: RecordedMessage): number {
  const { maxExecutions } = Object(body) as { readonly maxExecutions?: unknown };
  return typeof maxExecutions === 'number' ? maxExecutions : Number.POSITIVE_INFINITY;
}

/** Makes the door that polls come in by: one is open at a time. */
export function createPollDoor(state: DialInState): PollDoor {
  let open: OpenPoll | undefined;
  let lastAt = -Infinity;
  /** Between two polls there is nothing to cut: then it is the next one. */
  let cutsNext = false;

  const answer = (frames: readonly unknown[]): void => {
    const poll = open;
    if (!poll) return;
    open = undefined;
    clearTimeout(poll.timer);
    poll.request.reply(json({ frames }));
  };
  const flush = (): void => {
    if (!open || open.request.closed.aborted) return;
    const executions = takeOffers(state.waiting, open.room);
    const frames = state.waiting.frames.splice(0);
    if (executions.length > 0) frames.unshift({ type: 'offers', executions });
    if (frames.length > 0) answer(frames);
  };
  return {
    isOpen: () => open !== undefined || performance.now() - lastAt < 1_000,
    flush,
    cut() {
      const poll = open;
      cutsNext = poll === undefined;
      open = undefined;
      clearTimeout(poll?.timer);
      poll?.request.reply('drop');
    },
    poll(message, request) {
      // As JobForge does: a newer poll takes the place of one that is open.
      answer([]);
      lastAt = performance.now();
      if (cutsNext) request.reply('drop');
      if (cutsNext) return void (cutsNext = false);
      const timer = setTimeout(() => answer([]), state.script.holdMs ?? DEFAULTS.pollHoldMs);
      const poll = { request, room: roomOf(message), timer };
      open = poll;
      request.closed.addEventListener('abort', () => {
        clearTimeout(timer);
        lastAt = performance.now();
        if (open === poll) open = undefined;
      });
      flush();
    },
    accept(message) {
      const told = executionOf(message);
      const verdict = state.book.accept(told);
      return verdict === undefined
        ? json({ executionId: told.executionId, accepted: true })
        : denied(verdict);
    },
    events(message) {
      const told = executionOf(message);
      const said = state.book.tell(told);
      return 'seq' in said
        ? json({ executionId: told.executionId, acknowledgedSeq: said.seq })
        : denied(said.verdict);
    },
  };
}
