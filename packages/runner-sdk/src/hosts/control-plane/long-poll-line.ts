import { DEFAULTS, type PollResponse } from '@controlplane/contracts';
import { startPollLoop, type PollLoop, type PollOutcome } from '../../transport/poll-loop.js';
import { sleep } from '../../util/clock.js';
import type { ControlPlaneClient } from './client.js';
import type { DialInOptions, Line } from './dial-in.js';
import { createEventPoster } from './event-poster.js';
import { createHttpLine, type HttpLine } from './http-line.js';
import { needsRegistration } from './refusals.js';
import { FAREWELL_MS, onDirectives, onLost } from './session-core.js';
import { within } from './within.js';

/** What a long-poll line needs beside what every line does. */
export interface LongPollOptions extends DialInOptions {
  readonly client: ControlPlaneClient;
  /** Takes over in place of each registration after the first; this line has fallen silent then. */
  readonly onRenew?: (() => void) | undefined;
}

interface State extends LongPollOptions {
  readonly http: HttpLine;
  readonly stopping: AbortController;
  polling: AbortController;
  loop: PollLoop | undefined;
  /** Slots that the last poll asked for. */
  askedFor: number;
  /** A poll that asks for work is about to be made. */
  isAsking: boolean;
  maxBytes: number;
}

/** Milliseconds between two answers that say nothing, at least: a control plane that holds no poll must not be flooded. */
const MIN_HOLD_MS = 100;

function freeSlots({ core }: State): number {
  const { used, total } = core.runner.slots();
  return core.runner.isDraining() ? 0 : Math.max(0, total - used);
}

function onFrames({ core, offers }: State, { frames }: PollResponse): void {
  for (const frame of frames) {
    if (frame.type === 'offers' && Array.isArray(frame['executions' as keyof typeof frame])) {
      for (const offer of frame['executions' as keyof typeof frame] as unknown[]) offers.offer(offer);
    }
    if (frame.type === 'directives' && 'directives' in frame && Array.isArray(frame.directives)) {
      onDirectives(core, frame.directives);
    }
  }
}

async function poll(state: State, signal: AbortSignal): Promise<PollOutcome> {
  const { core, client } = state;
  const { clock, instanceId, logger } = core.runner;
  const startedMs = clock.elapsed();
  state.askedFor = freeSlots(state);
  const body = { instanceId, maxExecutions: state.askedFor };
  const answer = await client.poll(core.runnerId ?? 'unknown', body, signal);
  if (signal.aborted) return 'stop';
  if (answer.ok) {
    onFrames(state, answer.value);
    const isTooSoon = answer.value.frames.length === 0 && clock.elapsed() - startedMs < MIN_HOLD_MS;
    if (isTooSoon) await sleep(clock, MIN_HOLD_MS, signal);
    return 'again';
  }
  if (needsRegistration(answer)) {
    state.credentials.refused(answer.code);
    logger.warn(
      { code: answer.code },
      'the control plane does not know this runner any more; registering again',
    );
    renew(state);
    return 'stop';
  }
  logger.debug({ code: answer.code, reason: answer.message }, 'a poll failed; polling again');
  return { failed: true, retryAfterMs: answer.retryAfterMs };
}

function startPolling(state: State): void {
  const { clock, random, onSlotFreed } = state.core.runner;
  state.polling.abort();
  state.polling = new AbortController();
  const signal = AbortSignal.any([state.polling.signal, state.stopping.signal]);
  signal.addEventListener(
    'abort',
    onSlotFreed(() => askSoon(state)),
    { once: true },
  );
  state.loop = startPollLoop(
    {
      poll: (signal) => poll(state, signal),
      backoff: { minMs: DEFAULTS.reconnectMinMs, maxMs: DEFAULTS.reconnectMaxMs },
      clock,
      random,
    },
    signal,
  );
}

function renew(state: State): void {
  const { polling, stopping, http, offers, core, onRenew } = state;
  polling.abort();
  if (!onRenew || stopping.signal.aborted) return http.renew();
  stopping.abort();
  http.abandon();
  offers.onLinkLost();
  onLost(core);
  onRenew();
}

async function reconnect(state: State, afterMs: number): Promise<void> {
  state.polling.abort();
  await sleep(state.core.runner.clock, afterMs, state.stopping.signal);
  renew(state);
}

/** A poll that asked for no work is open: now that slots are free, another one asks, once for those of one turn. */
function askSoon(state: State): void {
  if (state.askedFor > 0 || state.isAsking) return;
  state.isAsking = true;
  setImmediate(() => {
    state.isAsking = false;
    if (state.askedFor === 0 && freeSlots(state) > 0) state.loop?.askNow();
  });
}

async function leave(state: State, reason: string): Promise<void> {
  const { core, offers, stopping, http, polling } = state;
  if (core.runnerId !== undefined && core.state !== 'refused') await within(FAREWELL_MS, offers.whenEmpty());
  polling.abort();
  stopping.abort();
  await http.leave(reason);
}

/** Makes the line over polls; nothing is asked before it is started. */
export function createLongPollLine(options: LongPollOptions): Line {
  const { core, offers, client, credentials } = options;
  const stopping = new AbortController();
  const http = createHttpLine({
    core,
    client,
    credentials,
    describe: () => ({ ...core.runner.describe(), delivery: { kind: 'long-poll' }, held: offers.held() }),
    executions: offers.running,
    onLost: () => {
      state.polling.abort();
      offers.onLinkLost();
    },
    onRegistered: ({ limits }) => {
      state.maxBytes = limits?.maxBodyBytes ?? DEFAULTS.maxBodyBytes;
      offers.onLinkUp();
      startPolling(state);
    },
  });
  const state: State = {
    ...options,
    http,
    stopping,
    polling: new AbortController(),
    loop: undefined,
    askedFor: 0,
    isAsking: false,
    maxBytes: DEFAULTS.maxBodyBytes,
  };
  const poster = createEventPoster({
    runner: core.runner,
    client,
    offers,
    signal: stopping.signal,
    maxBytes: () => state.maxBytes,
    leaseMs: () => core.leaseMs,
  });
  return {
    delivery: 'long-poll',
    wire: poster,
    start: http.start,
    renew: () => renew(state),
    reconnect: (afterMs) => void reconnect(state, afterMs),
    async announceDrain() {
      await http.announceDrain();
    },
    leave: (reason) => leave(state, reason),
  };
}
