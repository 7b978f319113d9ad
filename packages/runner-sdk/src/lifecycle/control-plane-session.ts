import {
  DEFAULTS,
  Directive,
  type CancelReason,
  type RunnerHeartbeatResponse,
  type RunnerRegistrationRequest,
  type RunnerRegistrationResponse,
} from '@controlplane/contracts';
import { RunnerError } from '../errors/runner-error.js';
import type { ControlPlaneClient, Refusal } from '../hosts/control-plane/client.js';
import { sleep, systemClock, type Clock } from '../util/clock.js';
import { createDeferred, type Deferred } from '../util/deferred.js';
import type { Logger } from '../util/logger.js';
import type { Health } from './health.js';
import { beatUntilStopped } from './heartbeat-loop.js';
import { registerUntilDone } from './registration-loop.js';
import type { RunnerStateHolder } from './runner-state.js';

/** What a session needs of the runner that it makes known. */
export interface SessionOptions {
  readonly client: ControlPlaneClient;
  readonly controlPlaneUrl: string;
  readonly state: RunnerStateHolder;
  readonly health: Health;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly instanceId: string;
  describe(): RunnerRegistrationRequest;
  readonly running: () => string[];
  readonly cancel: (executionId: string, reason: CancelReason) => void;
}

/** Keeps the runner known to the control plane. */
export interface ControlPlaneSession {
  readonly runnerId: string | undefined;
  start(): void;
  /** Resolves once registered. */
  readonly registered: Promise<void>;
  /** Why work may not arrive; empty when it does. */
  reasons(): string[];
  /** Registers no more and says that nothing new is taken; heartbeats go on. */
  announceDrain(): Promise<void>;
  /** Ends the loops and leaves. */
  leave(reason: string): Promise<void>;
}

/** Milliseconds for the last words of a runner that is going: it must not hang on a control plane that is gone. */
const FAREWELL_MS = 3_000;

interface Session extends SessionOptions {
  readonly stopping: AbortController;
  readonly registration: Deferred<void>;
  runnerId: string | undefined;
  intervalMs: number;
  missed: number;
  receiving: boolean;
  /** The registration loop, while one runs. */
  registering: Promise<void> | undefined;
  /** Ends the tries to register. */
  readonly settled: AbortController;
  /** Cuts off a registration that is under way. */
  readonly asking: AbortController;
  /** Ends the heartbeat loop that runs now. */
  beating: AbortController;
}

function onRegistered(session: Session, reply: RunnerRegistrationResponse): void {
  const isFirst = session.runnerId === undefined;
  session.runnerId = reply.runnerId;
  session.intervalMs = reply.heartbeatIntervalMs;
  session.missed = 0;
  session.receiving = true;
  session.state.moveTo('registered');
  session.registration.resolve();
  const fields = {
    runnerId: reply.runnerId,
    controlPlane: session.controlPlaneUrl,
    heartbeatIntervalMs: reply.heartbeatIntervalMs,
  };
  session.logger.info(fields, isFirst ? 'registered' : 'registered again');
  startBeating(session);
}

function onRefused(session: Session, { code, message }: Refusal): void {
  session.state.moveTo('refused');
  const text = `${session.controlPlaneUrl} refused this runner for good: ${code}: ${message}`;
  session.logger.error({ code }, `${text}. It is not asked again; correct the cause and restart the runner.`);
  session.registration.reject(new RunnerError('REGISTRATION_REFUSED', text));
}

function register(session: Session): void {
  const isLeaving = session.state.current === 'draining' || session.stopping.signal.aborted;
  if (session.registering || isLeaving) return;
  session.state.moveTo('registering');
  const { client, clock, random, logger, controlPlaneUrl, settled, asking } = session;
  session.registering = registerUntilDone(
    {
      ask: () => client.register(session.describe(), asking.signal),
      onRegistered: (reply) => onRegistered(session, reply),
      onRefused: (refusal) => onRefused(session, refusal),
      clock,
      random,
      logger,
      controlPlaneUrl,
    },
    settled.signal,
  )
    .catch((error: unknown) => logger.error({ err: error }, 'the registration loop failed'))
    .finally(() => {
      session.registering = undefined;
    });
}

function beat(
  session: Session,
  signal: AbortSignal,
  draining: boolean,
): ReturnType<ControlPlaneClient['heartbeat']> {
  const { client, clock, health, instanceId, runnerId = 'unknown' } = session;
  const executions = session.running();
  // Not awaited: a dependency that hangs must not hold up a beat; the next one tells of it.
  void health.check();
  const body = {
    runnerId,
    instanceId,
    timestamp: new Date(clock.now()).toISOString(),
    status: health.last,
    activeJobs: executions.length,
    queuedJobs: 0,
    executions,
    ...(draining ? { draining } : {}),
  };
  return client.heartbeat(body, signal);
}

function onReply(session: Session, reply: RunnerHeartbeatResponse): void {
  if (reply.heartbeatIntervalMs !== undefined) session.intervalMs = reply.heartbeatIntervalMs;
  session.receiving = reply.receiving;
  const directives = reply.directives.flatMap((directive) => Directive.safeParse(directive).data ?? []);
  for (const directive of directives) {
    if (directive.kind === 'cancel') session.cancel(directive.executionId, directive.reason);
  }
  const isUnknown = !reply.known || directives.some(({ kind }) => kind === 'register');
  if (!isUnknown) return;
  session.logger.warn(
    { runnerId: session.runnerId },
    'the control plane does not know this runner any more; registering again',
  );
  session.beating.abort();
  register(session);
}

/** Each registration may set another interval: it starts the beats anew. */
function startBeating(session: Session): void {
  const { clock, random, logger, stopping } = session;
  session.beating = new AbortController();
  const loop = {
    beat: (signal: AbortSignal) => beat(session, signal, session.state.current === 'draining'),
    onReply: (reply: RunnerHeartbeatResponse) => onReply(session, reply),
    onMissed: (missed: number) => {
      session.missed = missed;
    },
    intervalMs: () => session.intervalMs,
    clock,
    random,
    logger,
  };
  beatUntilStopped(loop, AbortSignal.any([stopping.signal, session.beating.signal])).catch((error: unknown) =>
    logger.error({ err: error }, 'the heartbeat loop failed'),
  );
}

function reasons({ state, missed, receiving }: Session): string[] {
  if (state.current === 'draining' || state.current === 'stopped') return ['draining'];
  if (state.current === 'refused') return ['the control plane refused this runner for good'];
  if (state.current !== 'registered') return ['not registered with the control plane yet'];
  const found: string[] = [];
  if (missed >= DEFAULTS.missedHeartbeats) found.push(`the last ${missed} heartbeats were not answered`);
  if (!receiving) found.push('the control plane sends no work to this runner');
  return found;
}

/** Tries no more; a registration that is under way gets its answer, so that it can be taken back. */
async function settleRegistration({ settled, asking, registering }: Session): Promise<void> {
  settled.abort();
  if (!registering) return;
  const answered = new AbortController();
  await Promise.race([registering, sleep(systemClock, FAREWELL_MS, answered.signal)]);
  answered.abort();
  asking.abort();
}

async function announceDrain(session: Session): Promise<void> {
  await settleRegistration(session);
  if (session.runnerId !== undefined) await beat(session, AbortSignal.timeout(FAREWELL_MS), true);
}

async function leave(session: Session, reason: string): Promise<void> {
  const { client, runnerId, instanceId, logger, stopping, registration } = session;
  stopping.abort();
  registration.reject(new RunnerError('STOPPED', 'the runner was stopped before it was registered'));
  if (runnerId === undefined) return;
  const answer = await client.deregister(runnerId, { instanceId, reason }, AbortSignal.timeout(FAREWELL_MS));
  if (answer.ok) logger.info({ runnerId }, 'deregistered');
  else
    logger.warn(
      { runnerId, code: answer.code, reason: answer.message },
      'could not deregister; the control plane will notice by the missing heartbeats',
    );
}

/** Makes the session; nothing is sent before it is started. */
export function createControlPlaneSession(options: SessionOptions): ControlPlaneSession {
  const session: Session = {
    ...options,
    stopping: new AbortController(),
    registration: createDeferred<void>(),
    runnerId: undefined,
    intervalMs: DEFAULTS.heartbeatIntervalMs,
    missed: 0,
    receiving: true,
    registering: undefined,
    settled: new AbortController(),
    asking: new AbortController(),
    beating: new AbortController(),
  };
  return {
    start: () => register(session),
    get runnerId() {
      return session.runnerId;
    },
    registered: session.registration.promise,
    reasons: () => reasons(session),
    announceDrain: () => announceDrain(session),
    leave: (reason) => leave(session, reason),
  };
}
