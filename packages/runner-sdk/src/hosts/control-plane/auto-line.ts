import { DEFAULTS } from '@controlplane/contracts';
import { backoffMs } from '../../util/backoff.js';
import { sleep } from '../../util/clock.js';
import type { ControlPlaneClient } from './client.js';
import type { DialInOptions, Line } from './dial-in.js';
import { createLongPollLine } from './long-poll-line.js';
import type { Refusal } from '../refusals.js';
import { createWebSocketLine } from './websocket-line.js';

/** What a line that finds its own way needs. */
export interface AutoOptions extends DialInOptions {
  readonly client: ControlPlaneClient;
  /** Whether the control plane answers to plain HTTP. */
  readonly isReachable: () => Promise<boolean>;
}

/** Failures in a row, of a kind that a proxy causes, after which the WebSocket is given up for this time. */
const MAX_BLOCKED = 2;

/** A line, and the way that it takes now. */
export type AutoLine = Line & { readonly current: Line };

/**
 * Makes a line that takes the WebSocket, and polls where something between lets plain HTTP through and no WebSocket.
 * It tries the WebSocket again whenever it has to register again.
 */
export function createAutoLine(options: AutoOptions): AutoLine {
  const { core, offers, isReachable } = options;
  const { clock, logger, random } = core.runner;
  const leaving = new AbortController();
  let isSaid = false;

  function use(line: Line): void {
    current = line;
    if (line.wire) offers.wire = line.wire;
    if (!leaving.signal.aborted) line.start();
  }

  async function fallBack(refusal: Refusal, failures: number): Promise<void> {
    // A control plane that is down is waited for: only one that HTTP reaches makes the WebSocket the culprit.
    if (!(await isReachable())) {
      const bounds = { minMs: DEFAULTS.reconnectMinMs, maxMs: DEFAULTS.reconnectMaxMs };
      await sleep(clock, backoffMs(failures - 1, bounds, random()), leaving.signal);
      return use(webSocketLine(failures));
    }
    const fields = { code: refusal.code, reason: refusal.message };
    logger[isSaid ? 'debug' : 'warn'](fields, 'the WebSocket is blocked on the way; long-polling instead');
    isSaid = true;
    use(createLongPollLine({ ...options, onRenew: () => use(webSocketLine()) }));
  }

  function webSocketLine(priorFailures = 0): Line {
    return createWebSocketLine({
      ...options,
      priorFailures,
      onBlocked(refusal, failures) {
        if (failures % MAX_BLOCKED > 0) return 'again';
        void fallBack(refusal, failures);
        return 'stop';
      },
    });
  }

  let current: Line = webSocketLine();
  if (current.wire) offers.wire = current.wire;
  return {
    get current() {
      return current;
    },
    get delivery() {
      return current.delivery;
    },
    start: () => current.start(),
    renew: () => current.renew(),
    reconnect: (afterMs) => current.reconnect(afterMs),
    announceDrain: () => current.announceDrain(),
    async leave(reason) {
      leaving.abort();
      await current.leave(reason);
    },
  };
}
