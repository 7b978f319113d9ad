import type {
  RunnerHeartbeatResponse,
  RunnerRegistrationRequest,
  RunnerRegistrationResponse,
} from '@controlplane/contracts';
import { sleep, systemClock } from '../../util/clock.js';
import type { ControlPlaneClient } from './client.js';
import type { Credentials } from './credentials.js';
import type { Line as ControlPlaneLine } from './dial-in.js';
import { beatUntilStopped } from './heartbeat-loop.js';
import { needsRegistration, type Refusal, type Answer } from '../refusals.js';
import { registerUntilDone } from '../registration-loop.js';
import { FAREWELL_MS, onLost, onRefused } from '../session-state.js';
import { composeBeat, onBeatReply, onMissed, onRegistered, type SessionCore } from './session-core.js';

/** What makes a line over single requests. */
export interface HttpLineOptions {
  readonly core: SessionCore;
  readonly client: ControlPlaneClient;
  readonly credentials: Credentials;
  readonly describe: () => RunnerRegistrationRequest;
  /** Executions whose leases a beat renews. Default: all that run. */
  readonly executions?: (() => string[]) | undefined;
  /** Whether there is work that the control plane must hear of, also while the runner drains. Default: any that runs. */
  readonly holdsWork?: (() => boolean) | undefined;
  /** Called after each registration. */
  readonly onRegistered?: ((reply: RunnerRegistrationResponse) => void) | undefined;
  /** Called when the runner has to register again. */
  readonly onLost?: (() => void) | undefined;
}

/** Registers and beats by single requests: what push and long-poll have in common. */
export type HttpLine = Pick<ControlPlaneLine, 'start' | 'renew' | 'announceDrain' | 'leave'> & {
  /** Whether the runner would be registered now: one that drains is while it holds work. */
  mayRegister(): boolean;
  /** Falls silent at once and without a goodbye: another line takes over. */
  abandon(): void;
};

interface Line extends HttpLineOptions {
  readonly stopping: AbortController;
  /** The registration loop, while one runs. */
  registering: Promise<void> | undefined;
  /** Ends the tries to register that are made now. */
  settled: AbortController;
  /** Cuts off a registration that is under way. */
  asking: AbortController;
  /** Ends the heartbeat loop that runs now. */
  beating: AbortController;
  /** The heartbeat that is under way: they never overlap, so that an older one cannot undo a newer. */
  lastBeat: Promise<unknown>;
}

/** Without a registration the leases of what it holds would run out, though it goes on. */
function mustStay({ core, holdsWork }: Line): boolean {
  const isKnown = core.runnerId !== undefined;
  return isKnown && (holdsWork?.() ?? core.runner.running().length > 0);
}

function mayRegister(line: Line): boolean {
  return !line.stopping.signal.aborted && (!line.core.runner.isDraining() || mustStay(line));
}

function startRegistered(line: Line, reply: RunnerRegistrationResponse): void {
  const { core, settled } = line;
  line.credentials.take(reply);
  onRegistered(core, reply);
  startBeating(line);
  // The registration does not say so, and work would come until the next beat does.
  if (core.runner.isDraining() && !settled.signal.aborted) void beat(line, AbortSignal.timeout(FAREWELL_MS));
  line.onRegistered?.(reply);
}

function register(line: Line): void {
  const { core, client } = line;
  const { clock, random, logger } = core.runner;
  if (line.registering || !mayRegister(line)) return;
  const settled = (line.settled = new AbortController());
  const asking = (line.asking = new AbortController());
  onLost(core);
  line.onLost?.();
  line.registering = registerUntilDone(
    {
      ask: () => client.register(line.describe(), asking.signal),
      onRegistered: (reply) => startRegistered(line, reply),
      hasAlternative: ({ code }) => line.credentials.refused(code),
      onRefused: (refusal) => onRefused(core, refusal),
      clock,
      random,
      logger,
      controlPlaneUrl: core.controlPlaneUrl,
    },
    settled.signal,
  )
    .catch((error: unknown) => logger.error({ err: error }, 'the registration loop failed'))
    .finally(() => {
      line.registering = undefined;
    });
}

function beat(line: Line, signal: AbortSignal): Promise<Answer<RunnerHeartbeatResponse>> {
  const asked = line.lastBeat.then(() => {
    const all = composeBeat(line.core);
    return line.client.heartbeat({ ...all, executions: line.executions?.() ?? all.executions }, signal);
  });
  line.lastBeat = asked;
  return asked;
}

/** Each registration may set another interval: it starts the beats anew. */
function startBeating(line: Line): void {
  const { core, stopping } = line;
  const { clock, random, logger } = core.runner;
  line.beating.abort();
  line.beating = new AbortController();
  const loop = {
    beat: (signal: AbortSignal) => beat(line, signal),
    onReply: (reply: RunnerHeartbeatResponse) => {
      line.credentials.take(reply);
      onBeatReply(core, reply);
    },
    onMissed: (missed: number) => onMissed(core, missed),
    onRefused: (refusal: Refusal) => {
      if (!needsRegistration(refusal)) return;
      line.credentials.forgetSession();
      core.actions?.renew();
    },
    intervalMs: () => core.intervalMs,
    clock,
    random,
    logger,
  };
  beatUntilStopped(loop, AbortSignal.any([stopping.signal, line.beating.signal])).catch((error: unknown) =>
    logger.error({ err: error }, 'the heartbeat loop failed'),
  );
}

/** Tries no more; a registration that is under way gets its answer, so that it can be taken back. */
async function settleRegistration({ settled, asking, registering }: Line): Promise<void> {
  settled.abort();
  if (!registering) return;
  const answered = new AbortController();
  await Promise.race([registering, sleep(systemClock, FAREWELL_MS, answered.signal)]);
  answered.abort();
  asking.abort();
}

async function announceDrain(line: Line): Promise<void> {
  // It is told once it is known again.
  if (line.registering && mustStay(line)) return;
  await settleRegistration(line);
  if (line.core.runnerId !== undefined) await beat(line, AbortSignal.timeout(FAREWELL_MS));
}

async function leave(line: Line, reason: string): Promise<void> {
  const { core, client, stopping } = line;
  const { runner } = core;
  await settleRegistration(line);
  const { runnerId } = core;
  stopping.abort();
  if (runnerId === undefined) return;
  const body = { instanceId: runner.instanceId, reason };
  const answer = await client.deregister(runnerId, body, AbortSignal.timeout(FAREWELL_MS));
  if (answer.ok) runner.logger.info({ runnerId }, 'deregistered');
  else
    runner.logger.warn(
      { runnerId, code: answer.code, reason: answer.message },
      'could not deregister; the control plane will notice by the missing heartbeats',
    );
}

/** Makes the line; nothing is sent before it is started. */
export function createHttpLine(options: HttpLineOptions): HttpLine {
  const line: Line = {
    ...options,
    stopping: new AbortController(),
    registering: undefined,
    settled: new AbortController(),
    asking: new AbortController(),
    beating: new AbortController(),
    lastBeat: Promise.resolve(),
  };
  return {
    start: () => register(line),
    mayRegister: () => mayRegister(line),
    renew() {
      if (!mayRegister(line)) return;
      line.beating.abort();
      register(line);
    },
    abandon() {
      for (const what of [line.settled, line.asking, line.stopping]) what.abort();
    },
    announceDrain: () => announceDrain(line),
    leave: (reason) => leave(line, reason),
  };
}
