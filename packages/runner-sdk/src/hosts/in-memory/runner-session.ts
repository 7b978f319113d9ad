import {
  DEFAULTS,
  Directive,
  type RunnerFrame,
  type RunnerHeartbeatResponse,
  type RunnerRegistrationResponse,
  type ServerFrame,
} from '@controlplane/contracts';
import { RunnerError } from '../../errors/runner-error.js';
import type { FileCarrier } from '../../execution/execute.js';
import type { TimerHandle } from '../../util/clock.js';
import { createDeferred, type Deferred } from '../../util/deferred.js';
import type { HostedRunner, HostSession } from '../host.js';
import { holdExecution, type HeldExecution } from './held-execution.js';

/** The runner's end of the link. */
export interface RunnerSession extends HostSession {
  onFrame(frame: ServerFrame): void;
  onCut(): void;
  onJoined(): void;
}

/** What a session is made of. */
export interface RunnerSessionOptions {
  readonly runner: HostedRunner;
  readonly random: () => number;
  /** Joins the link, for the first time. */
  readonly open: () => void;
  readonly isUp: () => boolean;
  readonly send: (frame: RunnerFrame) => void;
  /** Where the files of executions go. */
  readonly files: FileCarrier;
}

const REGISTER_AGAIN_MS = 1_000;
const FLUSH_MS = 10_000;

interface Session extends RunnerSessionOptions {
  readonly ready: Deferred<void>;
  readonly held: Map<string, HeldExecution>;
  /** Set while it waits for its last acknowledgements. */
  onEmpty: (() => void) | undefined;
  state: 'created' | 'registering' | 'registered' | 'left';
  runnerId: string | undefined;
  intervalMs: number;
  missed: number;
  receiving: boolean;
  timer: TimerHandle | undefined;
}

function wait(session: Session, delayMs: number, then: () => void): void {
  if (session.timer !== undefined) session.runner.clock.clearTimeout(session.timer);
  session.timer = session.runner.clock.setTimeout(then, delayMs);
}

function register(session: Session): void {
  if (session.state === 'left' || !session.isUp()) return;
  session.state = 'registering';
  session.runner.changed();
  const confirmed = [...session.held].filter(([, { isConfirmed }]) => isConfirmed).map(([id]) => id);
  session.send({
    type: 'register',
    registration: { ...session.runner.describe(), delivery: { kind: 'websocket' }, held: confirmed },
  });
  wait(session, REGISTER_AGAIN_MS, () => register(session));
}

function beat(session: Session): void {
  const { runner, held, runnerId = 'unknown' } = session;
  if (session.missed >= DEFAULTS.missedHeartbeats) return register(session);
  session.missed++;
  const running = runner.running();
  session.send({
    type: 'heartbeat',
    heartbeat: {
      runnerId,
      instanceId: runner.instanceId,
      timestamp: new Date(runner.clock.now()).toISOString(),
      status: runner.health.last,
      activeJobs: running.length,
      queuedJobs: 0,
      metrics: runner.vitals(),
      // Also what has ended and is not acknowledged: its lease must hold until it is.
      executions: [...new Set([...running, ...held.keys()])],
      ...(runner.isDraining() ? { draining: true } : {}),
    },
  });
  beatLater(session);
}

function beatLater(session: Session): void {
  const share = 1 + DEFAULTS.heartbeatJitter * (2 * session.random() - 1);
  wait(session, Math.round(session.intervalMs * share), () => beat(session));
}

function onReady(session: Session, reply: RunnerRegistrationResponse): void {
  // A reply that comes twice, or late, tells nothing new.
  if (session.state !== 'registering') return;
  session.state = 'registered';
  session.runnerId = reply.runnerId;
  session.intervalMs = reply.heartbeatIntervalMs;
  session.missed = 0;
  session.receiving = true;
  session.ready.resolve();
  session.runner.changed();
  for (const execution of [...session.held.values()]) execution.repeat();
  beatLater(session);
}

function onDirective(session: Session, directive: unknown): void {
  const known = Directive.safeParse(directive).data;
  if (known?.kind === 'cancel') session.runner.cancel(known.executionId, known.reason);
  if (known?.kind === 'register') register(session);
  if (known?.kind === 'drain') session.runner.drain('the in-memory host asked for it');
}

function onHeartbeatReply(session: Session, reply: RunnerHeartbeatResponse): void {
  session.missed = 0;
  session.receiving = reply.receiving;
  for (const directive of reply.directives) onDirective(session, directive);
  if (!reply.known && session.state === 'registered') register(session);
}

function onOffer(
  session: Session,
  request: Extract<ServerFrame, { type: 'offers' }>['executions'][number],
): void {
  const { executionId = request.jobId } = request;
  const known = session.held.get(executionId);
  if (known) return known.repeat();
  const { runner, random, send, held, files } = session;
  let isDone = false;
  const execution = holdExecution({
    request: { ...request, executionId },
    run: runner.run,
    files,
    send,
    clock: runner.clock,
    random,
    onDone() {
      isDone = true;
      held.delete(executionId);
      if (held.size === 0) session.onEmpty?.();
    },
  });
  if (!isDone) held.set(executionId, execution);
}

interface Verdict {
  readonly executionId: string;
  readonly code?: string | undefined;
}

/** Those that are the runner's still; what is not is stopped and forgotten. */
function ownOf<Told extends Verdict>(
  session: Session,
  verdicts: readonly Told[],
): Array<{ readonly execution: HeldExecution; readonly verdict: Told }> {
  return verdicts.flatMap((verdict) => {
    const execution = session.held.get(verdict.executionId);
    if (!execution) return [];
    if (verdict.code === undefined) return [{ execution, verdict }];
    if (execution.isConfirmed) session.runner.cancel(verdict.executionId, 'lease-lost');
    execution.confirm(false);
    return [];
  });
}

function onFrame(session: Session, frame: ServerFrame): void {
  switch (frame.type) {
    case 'ready':
      return onReady(session, frame.registration);
    case 'heartbeat':
      return onHeartbeatReply(session, frame.reply);
    case 'offers':
      return frame.executions.forEach((request) => onOffer(session, request));
    case 'confirmed':
      return ownOf(session, frame.executions).forEach(({ execution }) => execution.confirm(true));
    case 'acknowledged':
      return ownOf(session, frame.executions).forEach(({ execution, verdict }) =>
        execution.acknowledge(verdict.seq),
      );
    case 'directives':
      return frame.directives.forEach((directive) => onDirective(session, directive));
    case 'refused':
      return;
  }
}

async function leave(session: Session, reason: string): Promise<void> {
  const { held } = session;
  const { clock } = session.runner;
  if (held.size > 0 && session.isUp()) {
    await new Promise<void>((resolve) => {
      const limit = clock.setTimeout(resolve, FLUSH_MS);
      session.onEmpty = () => {
        clock.clearTimeout(limit);
        resolve();
      };
    });
  }
  session.send({ type: 'deregister', reason });
  session.state = 'left';
  session.ready.reject(new RunnerError('STOPPED', 'the runner was stopped before it was registered'));
  if (session.timer !== undefined) clock.clearTimeout(session.timer);
  for (const execution of [...held.values()]) execution.drop();
}

function reasons({ state, receiving, missed, isUp, runner }: Session): string[] {
  if (runner.isDraining() || state === 'left') return ['draining'];
  if (!isUp()) return ['the link to the in-memory host is cut'];
  if (state !== 'registered') return ['not registered with the in-memory host yet'];
  const found: string[] = [];
  if (missed >= DEFAULTS.missedHeartbeats) found.push(`the last ${missed} heartbeats were not answered`);
  if (!receiving) found.push('the in-memory host sends no work to this runner');
  return found;
}

/** Makes the runner's end of a link; nothing is said before it is started. */
export function createRunnerSession(options: RunnerSessionOptions): RunnerSession {
  const session: Session = {
    ...options,
    ready: createDeferred<void>(),
    held: new Map(),
    onEmpty: undefined,
    state: 'created',
    runnerId: undefined,
    intervalMs: DEFAULTS.heartbeatIntervalMs,
    missed: 0,
    receiving: true,
    timer: undefined,
  };
  return {
    get status() {
      return {
        state: session.state === 'registered' ? ('connected' as const) : ('connecting' as const),
        runnerId: session.runnerId,
        delivery: 'in-memory',
        unacknowledged: session.held.size,
      };
    },
    ready: session.ready.promise,
    reasons: () => reasons(session),
    start() {
      if (session.state !== 'created') return;
      session.state = 'registering';
      session.open();
    },
    onFrame: (frame) => onFrame(session, frame),
    onCut() {
      if (session.state === 'left') return;
      session.state = 'registering';
      if (session.timer !== undefined) session.runner.clock.clearTimeout(session.timer);
      for (const execution of [...session.held.values()]) execution.linkLost();
      session.runner.changed();
    },
    onJoined: () => register(session),
    announceDrain() {
      if (session.state === 'registered') beat(session);
      return Promise.resolve();
    },
    leave: (reason) => leave(session, reason),
  };
}
