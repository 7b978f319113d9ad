import type { ExecutionBody } from '../runner-client.js';
import { createOfferBook, reopen, type OfferBook, type Offered } from './offer-book.js';
import type { ControlPlaneScript } from '../control-plane-script.js';

/** How a runner that dials in is reached. */
export type DialInKind = 'websocket' | 'long-poll';

/** One socket of a runner, from its upgrade to its end. */
export interface Connection {
  readonly index: number;
  /** Undefined when the runner offered none. */
  readonly protocol: string | undefined;
  /** When it answered a ping, each time. */
  readonly pongs: number[];
}

/** Carries frames to the runner: a socket, or the poll that is open. */
export interface Door {
  /** Whether something can be said now. */
  isOpen(): boolean;
  /** Says what waits, as far as it may. */
  flush(): void;
  /** Breaks what carries: sockets, or the poll that is open. */
  cut(): void;
}

/** What waits to be said to the runner. */
export interface Waiting {
  readonly offers: Offered[];
  /** Whole frames, or text that is none. */
  readonly frames: (object | string)[];
}

/** The control plane's end of a runner that dials in. */
export interface DialIn {
  readonly book: OfferBook;
  readonly waiting: Waiting;
  /** The sockets that there were. */
  readonly connections: Connection[];
  /** How the newest registration wants to be reached; undefined for push, and before one. */
  kind(): DialInKind | undefined;
  /** Whether the runner is registered and can be told something now. */
  isUp(): boolean;
  /** Offers executions, in one frame where they go together. One that was offered is offered again. */
  offer(...bodies: readonly ExecutionBody[]): Offered[];
  direct(...directives: readonly object[]): void;
  /** Says a frame, or something that is none. */
  say(frame: object | string): void;
  cut(): void;
}

/** What the doors share. */
export interface DialInState extends DialIn {
  readonly script: ControlPlaneScript;
  readonly doors: Map<DialInKind, Door>;
  /** Takes over a registration: what has not ended and is not held is offered again. */
  registered(kind: DialInKind | undefined, held: readonly string[]): void;
}

/** Makes an end that nobody has dialled yet. */
export function createDialIn(script: ControlPlaneScript): DialInState {
  const book = createOfferBook(script);
  const waiting: Waiting = { offers: [], frames: [] };
  const doors = new Map<DialInKind, Door>();
  let current: DialInKind | undefined;
  const door = (): Door | undefined => (current === undefined ? undefined : doors.get(current));
  const flush = (): void => door()?.flush();
  const say = (frame: object | string): void => {
    waiting.frames.push(frame);
    flush();
  };
  return {
    script,
    book,
    waiting,
    doors,
    connections: [],
    kind: () => current,
    isUp: () => door()?.isOpen() ?? false,
    offer(...bodies) {
      const offered = bodies.map((body) => book.add(body));
      waiting.offers.push(...offered);
      flush();
      return offered;
    },
    direct: (...directives) => say({ type: 'directives', directives }),
    say,
    cut: () => door()?.cut(),
    registered(kind, held) {
      current = kind;
      for (const offered of book.offered.values()) {
        if (held.includes(offered.body.executionId) || waiting.offers.includes(offered)) continue;
        if (reopen(offered)) waiting.offers.push(offered);
      }
    },
  };
}

/** Takes out what is offered with the next frame. */
export function takeOffers({ offers }: Waiting, room: number): readonly ExecutionBody[] {
  const at = performance.now();
  return offers.splice(0, room).map((offered) => {
    offered.handedAt.push(at);
    return offered.body;
  });
}
