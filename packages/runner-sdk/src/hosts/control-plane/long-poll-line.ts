import { DEFAULTS, ServerFrame, type PollResponse } from '@controlplane/contracts';
import { startPollLoop, type PollLoop, type PollOutcome } from '../../transport/poll-loop.js';
import { backoffMs } from '../../util/backoff.js';
import { sleep } from '../../util/clock.js';
import { FAREWELL_MS, onLost } from '../session-state.js';
import type { ControlPlaneClient } from './client.js';
import type { DialInOptions, Line } from './dial-in.js';
import { createEventPoster } from './event-poster.js';
import { createHttpLine, type HttpLine } from './http-line.js';
import { needsRegistration, refusalOf, type Refusal } from '../refusals.js';
import { onDirectives } from './session-core.js';
import { within } from '../../util/within.js';

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
  /** Polls in a row that were refused. */
  refusedPolls: number;
}

/** Milliseconds between two answers that say nothing, at least: a control plane that holds no poll must not be flooded. */
const MIN_HOLD_MS = 100;

const BACKOFF = { minMs: DEFAULTS.reconnectMinMs, maxMs: DEFAULTS.reconnectMaxMs };

function freeSlots({ core }: State): number {
  const { used, total } = core.runner.slots();
  return core.runner.isDraining() ? 0 : Math.max(0, total - used);
}

/** @returns why the runner may not stay, where that is among what was said */
function onFrames({ core, offers }: State, { frames }: PollResponse): Refusal | undefined {
  let refusal: Refusal | undefined;
  for (const frame of frames) {
    if (frame.type === 'offers' && Array.isArray(frame['executions' as keyof typeof frame])) {
      for (const offer of frame['executions' as keyof typeof frame] as unknown[]) offers.offer(offer);
    }
    if (frame.type === 'directives' && 'directives' in frame && Array.isArray(frame.directives)) {
      onDirectives(core, frame.directives);
    }
    if (frame.type === 'refused') {
      const { data } = ServerFrame.safeParse(frame);
      if (data?.type === 'refused') refusal = refusalOf(data.error);
    }
  }
  return refusal;
}

/** A registration says whether the runner is only not known any more, or may not stay. */
async function registerAgain(state: State, { code }: Refusal, signal: AbortSignal): Promise<'stop'> {
  const { core, credentials } = state;
  const { clock, logger, random } = core.runner;
  credentials.forgetSession();
  logger.warn({ code }, 'the control plane takes no polls of this runner; registering again');
  const refused = state.refusedPolls++;
  // Who takes the registration and then no poll must not be flooded with both.
  if (refused > 0) await sleep(clock, backoffMs(refused - 1, BACKOFF, random()), signal);
  if (!signal.aborted) renew(state);
  return 'stop';
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
    const refusal = onFrames(state, answer.value);
    if (refusal) return registerAgain(state, refusal, signal);
    state.refusedPolls = 0;
    const isTooSoon = answer.value.frames.length === 0 && clock.elapsed() - startedMs < MIN_HOLD_MS;
    if (isTooSoon) await sleep(clock, MIN_HOLD_MS, signal);
    return 'again';
  }
  if (needsRegistration(answer)) return registerAgain(state, answer, signal);
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
      backoff: BACKOFF,
      clock,
      random,
    },
    signal,
  );
}

function renew(state: State): void {
  const { polling, stopping, http, offers, core, onRenew } = state;
  if (!http.mayRegister()) return;
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
    holdsWork: () => offers.held().length > 0,
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
    refusedPolls: 0,
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
