import { RunnerError, type RunnerRefusal } from '../errors/runner-error.js';
import { createDeferred, type Deferred } from '../util/deferred.js';
import type { HostedRunner, HostState } from './host.js';
import { PERMANENT_REFUSALS, type Answer, type Refusal } from './refusals.js';
import { registerUntilDone } from './registration-loop.js';

/** Where the session of one runner at one host is: what every host tells of itself. */
export interface SessionState {
  readonly runner: HostedRunner;
  /** The other side's address, for messages. */
  readonly controlPlaneUrl: string;
  /** Settled by the first registration. */
  readonly registration: Deferred<void>;
  state: HostState;
  runnerId: string | undefined;
  refusal: RunnerRefusal | undefined;
}

/** Milliseconds for the last words of a runner that is going: it must not hang on a control plane that is gone. */
export const FAREWELL_MS = 3_000;

/** Makes the state of a session that has not started. */
export function createSessionState(runner: HostedRunner, controlPlaneUrl: string): SessionState {
  return {
    runner,
    controlPlaneUrl,
    registration: createDeferred<void>(),
    state: 'connecting',
    runnerId: undefined,
    refusal: undefined,
  };
}

function moveTo(session: SessionState, state: HostState): void {
  if (session.state === state) return;
  session.state = state;
  session.runner.changed();
}

/** The runner is known to the other side, under this id. */
export function onConnected(session: SessionState, runnerId: string): void {
  session.runnerId = runnerId;
  moveTo(session, 'connected');
  session.registration.resolve();
}

/** The runner is not known to the other side any more, or not reachable by it. */
export function onLost(session: SessionState): void {
  if (session.state === 'connected') moveTo(session, 'connecting');
}

/** The other side refused this runner for good. */
export function onRefused(
  session: SessionState,
  { code, message, remedy }: Omit<Refusal, 'ok'>,
  what = `${session.controlPlaneUrl} refused this runner for good`,
): void {
  const text = `${what}: ${code}: ${message}`;
  const todo = remedy ?? 'Correct the cause';
  session.runner.logger.error(
    { code, ...(remedy === undefined ? {} : { remedy }) },
    `${text.replace(/\.?$/, '.')} ${todo.replace(/\.?$/, '.')} It is not asked again; restart the runner then.`,
  );
  const exitCode = Object.entries(PERMANENT_REFUSALS).find(([known]) => known === code)?.[1];
  const refusal = { code, message, remedy, exitCode: exitCode ?? 1 };
  session.refusal = refusal;
  moveTo(session, 'refused');
  session.registration.reject(new RunnerError('REGISTRATION_REFUSED', text, { refusal }));
}

/** The runner is stopped: whoever waits for its registration waits no more. */
export function onStopped(session: SessionState): void {
  session.registration.reject(new RunnerError('STOPPED', 'the runner was stopped before it was registered'));
}

/** How a session comes to be known to the other side, where the only thing to offer is a token. */
export interface Joining<Known> {
  ask(): Promise<Answer<Known>>;
  onKnown(known: Known): void;
  /** The runner goes: nothing is asked for any more. */
  readonly leaving: AbortSignal;
}

/** Asks until the runner is known, or refused for good. */
export function joinUntilDone<Known>(
  session: SessionState,
  { ask, onKnown, leaving }: Joining<Known>,
): Promise<void> {
  const { clock, random, logger } = session.runner;
  return registerUntilDone<Known>(
    {
      ...{ ask, onRegistered: onKnown, hasAlternative: () => false },
      onRefused: (refusal) => onRefused(session, refusal),
      ...{ clock, random, logger, controlPlaneUrl: session.controlPlaneUrl },
    },
    leaving,
  );
}
