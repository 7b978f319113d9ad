import { AUTOMN_FRESH_MS, type AutomnRegistered } from '@controlplane/contracts/automn';
import { DEFAULTS } from '@controlplane/contracts';
import { backoffMs } from '../../util/backoff.js';
import { MAX_TIMER_MS, sleep } from '../../util/clock.js';
import { isPermanent, type Answer } from '../refusals.js';
import { onConnected, onLost, onRefused, type SessionState } from '../session-state.js';
import type { ResolvedAutomnOptions } from './options.js';
import type { Registration } from './registration.js';
import type { Secrets } from './secrets.js';

/** What came of a registration that somebody asked for. */
export interface Outcome {
  readonly ok: boolean;
  readonly error?: string | undefined;
}

/** Keeps the runner registered. */
export interface Heartbeat {
  /** Registers until the signal, at start and once each interval. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** Registers now, out of turn. Never rejects. */
  ask(reason: string): Promise<Outcome>;
}

/** What it is made of. */
export interface HeartbeatParts {
  readonly session: SessionState;
  readonly options: ResolvedAutomnOptions;
  readonly registration: Registration;
  readonly secrets: Secrets;
}

interface Asked {
  readonly reason: string;
  readonly tell: (outcome: Outcome) => void;
}

const NO_SECRET: Outcome = {
  ok: false,
  error: 'the runner has no secret: enter it at its page, or set AUTOMN_RUNNER_SECRET',
};
const STOPPED: Outcome = { ok: false, error: 'the runner registers no more' };

const outcomeOf = (answer: Answer<AutomnRegistered> | undefined): Outcome => {
  if (!answer) return NO_SECRET;
  return answer.ok ? { ok: true } : { ok: false, error: answer.message };
};

/** Whoever waits for a registration out of turn, and what makes the loop look. */
function createQueue() {
  let asked: Asked[] = [];
  let sleeping = new AbortController();
  let hasEnded = false;
  return {
    ask: (reason: string): Promise<Outcome> =>
      new Promise((resolve) => {
        if (hasEnded) return resolve(STOPPED);
        asked.push({ reason, tell: resolve });
        sleeping.abort();
      }),
    take(): readonly Asked[] {
      const taken = asked;
      asked = [];
      return taken;
    },
    /** Aborted once somebody asks. */
    asking(): AbortSignal {
      sleeping = new AbortController();
      if (asked.length > 0) sleeping.abort();
      return sleeping.signal;
    },
    end(): void {
      hasEnded = true;
      for (const { tell } of asked) tell(STOPPED);
      asked = [];
    },
  };
}

/** What each answer does to the session, and how long it lets the next registration wait. */
function createOnAnswer({
  session,
  options,
  secrets,
}: HeartbeatParts): (answer: Answer<AutomnRegistered> | undefined) => number {
  const { logger, random } = session.runner;
  const bounds = {
    minMs: DEFAULTS.reconnectMinMs,
    maxMs: Math.min(DEFAULTS.reconnectMaxMs, AUTOMN_FRESH_MS / 4),
  };
  let failures = 0;
  let isWithout = false;

  const intervalMs = (): number =>
    Math.round(options.heartbeatMs * (1 - DEFAULTS.heartbeatJitter * random()));

  function onTaken(): void {
    const wasConnected = session.state === 'connected';
    failures = 0;
    onConnected(session, options.runnerId);
    if (!wasConnected)
      logger.info({ controlPlane: session.controlPlaneUrl, runnerId: options.runnerId }, 'registered');
  }
  function onNoSecret(): number {
    onLost(session);
    if (!isWithout) logger.warn(NO_SECRET.error ?? '');
    isWithout = true;
    // Whoever enters one at the page asks for a registration; whoever writes one to a file does not.
    return secrets.source === 'env' ? intervalMs() : MAX_TIMER_MS;
  }
  return (answer) => {
    if (!answer) return onNoSecret();
    isWithout = false;
    if (answer.ok) {
      onTaken();
      return intervalMs();
    }
    onLost(session);
    const fields = { code: answer.code, reason: answer.message };
    logger[failures === 0 ? 'warn' : 'debug'](
      fields,
      `not registered with ${session.controlPlaneUrl}; trying again`,
    );
    // What somebody has to change first is not worth asking for sooner.
    if (isPermanent(answer)) return intervalMs();
    return Math.max(backoffMs(failures++, bounds, random()), answer.retryAfterMs ?? 0);
  };
}

/** Makes the one loop of a runner. */
export function createHeartbeat(parts: HeartbeatParts): Heartbeat {
  const { session, registration, secrets } = parts;
  const { clock } = session.runner;
  const queue = createQueue();
  const onAnswer = createOnAnswer(parts);

  /** A secret that can be replaced while the runner runs is no reason to end. */
  const isForGood = (answer: Answer<AutomnRegistered>): boolean =>
    !answer.ok && isPermanent(answer) && !(answer.code === 'CREDENTIAL_INVALID' && secrets.canChange);

  return {
    async run(signal) {
      let reason = 'startup';
      while (!signal.aborted) {
        const served = queue.take();
        const answer = await registration.perform(served[0]?.reason ?? reason);
        reason = 'heartbeat';
        for (const { tell } of served) tell(outcomeOf(answer));
        if (answer && !answer.ok && isForGood(answer)) {
          onRefused(session, answer);
          break;
        }
        const delayMs = onAnswer(answer);
        await sleep(clock, delayMs, AbortSignal.any([signal, queue.asking()]));
      }
      queue.end();
    },
    ask: queue.ask,
  };
}
