import { DEFAULTS, CLOSE_CODES, type RunnerHeartbeatResponse } from '@controlplane/contracts';
import type { ReconnectingSocket } from '../../transport/reconnecting-socket.js';
import { createDeferred, type Deferred } from '../../util/deferred.js';
import type { DialInOptions } from './dial-in.js';
import { beatUntilStopped } from './heartbeat-loop.js';
import { notReached, type Answer } from '../refusals.js';
import { composeBeat, onBeatReply, onMissed } from './session-core.js';

/** Milliseconds for the answer to a heartbeat. */
const BEAT_MS = 10_000;

/** Replies in a row that say that no work comes, after which the connection is made anew. */
const MAX_IDLE_REPLIES = 3;

/** What beats over a socket. */
export interface WebSocketBeats extends DialInOptions {
  readonly socket: ReconnectingSocket;
  /** Registered over the connection that there is now. */
  isReady: boolean;
  beating: AbortController;
  /** The one that is not answered yet. */
  beat: Deferred<Answer<RunnerHeartbeatResponse>> | undefined;
  /** Replies in a row that said that no work comes. */
  idleReplies: number;
}

/** Beats now; what is unanswered and this are answered together. */
export function sendBeat(state: WebSocketBeats): Promise<Answer<RunnerHeartbeatResponse>> {
  if (!state.isReady) return Promise.resolve(notReached('UNREACHABLE', 'there is no connection'));
  const { core, offers } = state;
  const isFirst = state.beat === undefined;
  const beat = (state.beat ??= createDeferred());
  if (isFirst) {
    const late = notReached('UNREACHABLE', 'the heartbeat was not answered in time');
    const timer = core.runner.clock.setTimeout(() => beat.resolve(late), BEAT_MS);
    void beat.promise.finally(() => {
      core.runner.clock.clearTimeout(timer);
      if (state.beat === beat) state.beat = undefined;
    });
  }
  const heartbeat = { ...composeBeat(core), executions: offers.running() };
  state.socket.send(JSON.stringify({ type: 'heartbeat', heartbeat }));
  return beat.promise;
}

/** Each registration may set another interval: it starts the beats anew. */
export function startBeating(state: WebSocketBeats): void {
  const { core } = state;
  const { clock, random, logger } = core.runner;
  state.beating.abort();
  state.beating = new AbortController();
  const loop = {
    beat: () => sendBeat(state),
    onReply: () => undefined,
    onMissed: (missed: number) => {
      onMissed(core, missed);
      if (missed >= DEFAULTS.missedHeartbeats)
        state.socket.close(CLOSE_CODES.silent, { reason: 'heartbeats are not answered' });
    },
    intervalMs: () => core.intervalMs,
    clock,
    random,
    logger,
  };
  beatUntilStopped(loop, state.beating.signal).catch((error: unknown) =>
    logger.error({ err: error }, 'the heartbeat loop failed'),
  );
}

/** A control plane that knows the runner and never sends it work may have lost its end of the connection. */
function watchReceiving(state: WebSocketBeats, { receiving }: RunnerHeartbeatResponse): void {
  state.idleReplies = receiving || state.core.runner.isDraining() ? 0 : state.idleReplies + 1;
  if (state.idleReplies < MAX_IDLE_REPLIES) return;
  state.idleReplies = 0;
  state.core.runner.logger.warn('the control plane sends no work over this connection; making another');
  state.socket.close(1000, { reason: 'not receiving' });
}

/** Takes over what a beat was answered with. */
export function onHeartbeatReply(state: WebSocketBeats, reply: RunnerHeartbeatResponse): void {
  state.credentials.take(reply);
  onBeatReply(state.core, reply);
  state.beat?.resolve({ ok: true, value: reply });
  watchReceiving(state, reply);
}
