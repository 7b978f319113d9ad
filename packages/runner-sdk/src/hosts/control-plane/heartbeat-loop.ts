import { DEFAULTS, type RunnerHeartbeatResponse } from '@controlplane/contracts';
import type { Answer, Refusal } from '../refusals.js';
import { sleep, type Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';

/** What a heartbeat loop needs. */
export interface HeartbeatLoopOptions {
  beat(signal: AbortSignal): Promise<Answer<RunnerHeartbeatResponse>>;
  onReply(reply: RunnerHeartbeatResponse): void;
  /** Beats in a row that were not answered; 0 once one was. */
  onMissed(count: number): void;
  /** Called after a beat that was refused, or not answered at all. */
  onRefused?(refusal: Refusal): void;
  /** Milliseconds between beats, as it is now. */
  intervalMs(): number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/**
 * Beats until told to stop, each beat after the answer to the last, so that they never overlap.
 * @param options - what a beat is, and whom to tell of its answer
 * @param signal - ends the loop
 */
export async function beatUntilStopped(options: HeartbeatLoopOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger, random } = options;
  let missed = 0;
  while (!signal.aborted) {
    const share = 1 + DEFAULTS.heartbeatJitter * (2 * random() - 1);
    const isDue = await sleep(clock, Math.round(options.intervalMs() * share), signal);
    if (!isDue) return;
    const answer = await options.beat(signal);
    if (signal.aborted) return;
    if (answer.ok) {
      if (missed > 0) logger.info({ missed }, 'heartbeats are answered again');
      missed = 0;
      options.onMissed(0);
      options.onReply(answer.value);
      continue;
    }
    missed++;
    options.onMissed(missed);
    logger[missed === 1 ? 'warn' : 'debug'](
      { code: answer.code, reason: answer.message, missed },
      'a heartbeat was not answered',
    );
    options.onRefused?.(answer);
  }
}
