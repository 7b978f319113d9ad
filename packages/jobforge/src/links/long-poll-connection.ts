import type { Clock } from '../model/clock.js';
import { framesOf } from './server-frames.js';
import type { LinkConnection, SessionLink } from './session-link.js';
import type { Outgoing } from './waiting-frames.js';

export interface LongPollOptions {
  readonly link: SessionLink;
  /** Offers that the runner takes. */
  readonly maxOffers: number;
  /** How long it is held while there is nothing to say. */
  readonly holdMs: number;
  readonly clock: Clock;
  /** Told once. */
  readonly answer: (said: PollEnd) => void;
}

/** What a poll is answered with. */
export interface PollEnd {
  /** Frames, JSON each. */
  readonly frames: readonly string[];
  /** Executions that are offered in them. */
  readonly offered: readonly string[];
}

/** Puts a poll under its runner's link. Its end is what is said in the turn of the event loop in which something is. */
export function holdPoll({ link, maxOffers, holdMs, clock, answer }: LongPollOptions): LinkConnection {
  let over = false;
  const said: Outgoing[] = [];
  const offered = (): string[] => said.flatMap(({ offers }) => offers.map(({ executionId }) => executionId));
  const settle = (): void => {
    if (over) return;
    over = true;
    stopHolding();
    link.detach(connection);
    answer({ frames: said.flatMap(framesOf), offered: offered() });
  };
  const connection: LinkConnection = {
    room: () => (over ? 0 : maxOffers - offered().length),
    send(out) {
      if (said.push(out) === 1) setImmediate(settle);
    },
    /** A runner that is there polls again when its poll is answered. */
    probe() {
      settle();
      return link.comesBack();
    },
    close: settle,
  };
  const stopHolding = clock.after(holdMs, settle);
  link.attach(connection);
  return connection;
}
