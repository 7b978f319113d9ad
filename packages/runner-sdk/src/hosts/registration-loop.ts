import { DEFAULTS } from '@controlplane/contracts';
import { backoffMs } from '../util/backoff.js';
import { sleep, type Clock } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import { isPermanent, type Answer, type Refusal } from './refusals.js';

/** What a registration loop needs. */
export interface RegistrationLoopOptions<Registered> {
  ask(): Promise<Answer<Registered>>;
  onRegistered(registered: Registered): void;
  /** Whether something else can be tried after a refusal that is for good as it stands. */
  hasAlternative(refusal: Refusal): boolean;
  /** The control plane refused for good; the loop has ended. */
  onRefused(refusal: Refusal): void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** Where is asked, for the log. */
  readonly controlPlaneUrl: string;
}

/**
 * Asks until it is registered or refused for good: for ever, with full jitter from 250 ms to 30 s, and never
 * sooner than the control plane says.
 * @param options - whom to ask and whom to tell
 * @param signal - ends the loop; an answer that is under way still counts
 */
export async function registerUntilDone<Registered>(
  options: RegistrationLoopOptions<Registered>,
  signal: AbortSignal,
): Promise<void> {
  const { clock, logger, random, controlPlaneUrl } = options;
  const bounds = { minMs: DEFAULTS.reconnectMinMs, maxMs: DEFAULTS.reconnectMaxMs };
  for (let attempt = 0; !signal.aborted; attempt++) {
    const answer = await options.ask();
    // Known is known: also a runner that goes must know it, to take it back.
    if (answer.ok) return options.onRegistered(answer.value);
    if (signal.aborted) return;
    const hasAlternative = options.hasAlternative(answer);
    if (isPermanent(answer) && !hasAlternative) return options.onRefused(answer);
    const delayMs = Math.max(backoffMs(attempt, bounds, random()), answer.retryAfterMs ?? 0);
    const fields = { code: answer.code, reason: answer.message, attempt: attempt + 1, delayMs };
    // One line that somebody sees, then quiet: a control plane that comes up later is nothing unusual.
    logger[attempt === 0 ? 'warn' : 'debug'](
      fields,
      `not registered with ${controlPlaneUrl} yet; trying again`,
    );
    await sleep(clock, delayMs, signal);
  }
}
