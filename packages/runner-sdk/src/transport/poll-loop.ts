import { backoffMs, type BackoffBounds } from '../util/backoff.js';
import { sleep, type Clock } from '../util/clock.js';

/** What came of one poll: ask again at once, after a failure by its backoff, or not any more. */
export type PollOutcome =
  | 'again'
  | 'stop'
  | { readonly failed: true; readonly retryAfterMs?: number | undefined };

/** What a poll loop needs. */
export interface PollLoopOptions {
  /** Asks once. Must not reject. */
  poll(signal: AbortSignal): Promise<PollOutcome>;
  readonly backoff: BackoffBounds;
  readonly clock: Clock;
  readonly random: () => number;
}

/** A loop that polls. */
export interface PollLoop {
  /** Asks anew beside the question that is open, which the other side then answers at once. */
  askNow(): void;
  readonly ended: Promise<void>;
}

/**
 * Polls until told to stop; after failures with full jitter, from the shortest delay again after each answer.
 * @param options - what a poll is
 * @param signal - ends the loop and the poll that is open
 */
export function startPollLoop(options: PollLoopOptions, signal: AbortSignal): PollLoop {
  const { poll, backoff, clock, random } = options;
  let turn = 0;
  let isAsking = false;

  async function loop(own: number): Promise<void> {
    let failures = 0;
    while (!signal.aborted && turn === own) {
      isAsking = true;
      const outcome = await poll(signal);
      if (turn !== own) return;
      isAsking = false;
      if (outcome === 'stop') return;
      if (outcome === 'again') {
        failures = 0;
        continue;
      }
      const delayMs = Math.max(backoffMs(failures++, backoff, random()), outcome.retryAfterMs ?? 0);
      await sleep(clock, delayMs, signal);
    }
  }

  return {
    ended: loop(turn),
    askNow() {
      if (!isAsking || signal.aborted) return;
      turn++;
      void loop(turn);
    },
  };
}
