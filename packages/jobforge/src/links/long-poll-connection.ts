import type { Clock } from '../model/clock.js';
import { framesOf } from './server-frames.js';
import type { LinkConnection, SessionLink } from './session-link.js';

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

const NOTHING: PollEnd = { frames: [], offered: [] };

/** Puts a poll under its runner's link. The first thing said over it is its end. */
export function holdPoll({ link, maxOffers, holdMs, clock, answer }: LongPollOptions): LinkConnection {
  let over = false;
  const settle = (said: PollEnd): void => {
    if (over) return;
    over = true;
    stopHolding();
    link.detach(connection);
    answer(said);
  };
  const connection: LinkConnection = {
    room: () => (over ? 0 : maxOffers),
    send: (out) =>
      settle({ frames: framesOf(out), offered: out.offers.map(({ executionId }) => executionId) }),
    /** A runner that is there polls again when its poll is answered. */
    probe() {
      settle(NOTHING);
      return link.comesBack();
    },
    close: () => settle(NOTHING),
  };
  const stopHolding = clock.after(holdMs, () => settle(NOTHING));
  link.attach(connection);
  return connection;
}
