import {
  CONTRACT_VERSION_CURRENT,
  isTerminalEvent,
  type ExecutionEvent,
  type RunnerFrame,
  type RunnerHeartbeat,
  type RunnerRegistrationRequest,
  type ServerFrame,
} from '@controlplane/contracts';
import { endByDeadline, endByEvent, endByLoss, takeBack } from './attempt-endings.js';
import type { Attempt, KnownRunner, Plane } from './plane.js';

/** A runner decides about its deadlines itself; only when it does not, this much later, the control plane does. */
const DEADLINE_GRACE_MS = 10_000;

/** The control plane's end of one link. */
export interface PlaneEnd {
  onFrame(frame: RunnerFrame): void;
  /** The link was cut. */
  onCut(): void;
}

function renewLease(plane: Plane, attempt: Attempt): void {
  attempt.leaseUntilMs = plane.clock.elapsed() + plane.leaseMs;
  if (attempt.timer !== undefined) return;
  const look = (): void => {
    const leftMs = attempt.leaseUntilMs - plane.clock.elapsed();
    if (leftMs <= 0) return endByLoss(plane, attempt);
    attempt.timer = plane.clock.setTimeout(look, leftMs);
  };
  attempt.timer = plane.clock.setTimeout(look, plane.leaseMs);
}

function armDeadline(plane: Plane, attempt: Attempt): void {
  const { clock } = plane;
  if (attempt.deadlineTimer !== undefined) clock.clearTimeout(attempt.deadlineTimer);
  const leftMs = attempt.startedMs + attempt.timeoutMs + DEADLINE_GRACE_MS - clock.elapsed();
  attempt.deadlineTimer = clock.setTimeout(() => endByDeadline(plane, attempt), leftMs);
}

/** What a runner still has stays its own; the rest went with the connection that it was offered or accepted over. */
function reconcile(plane: Plane, runner: KnownRunner, held: ReadonlySet<string>): void {
  for (const attempt of [...runner.attempts]) {
    if (attempt.phase === 'offered') takeBack(plane, attempt);
    else if (!held.has(attempt.executionId)) endByLoss(plane, attempt);
    else renewLease(plane, attempt);
  }
  for (const executionId of held) {
    const attempt = plane.attempts.get(executionId);
    if (attempt && attempt.phase !== 'superseded') continue;
    const code = attempt ? ('LEASE_SUPERSEDED' as const) : ('EXECUTION_NOT_FOUND' as const);
    runner.send({ type: 'acknowledged', executions: [{ executionId, seq: 0, code }] });
  }
}

function register(
  plane: Plane,
  registration: RunnerRegistrationRequest,
  link: { readonly isFirst: boolean; readonly send: (frame: ServerFrame) => void },
): KnownRunner {
  const { instanceId = registration.name, held = [] } = registration;
  const runner: KnownRunner = plane.runners.get(instanceId) ?? {
    runnerId: `runner-${plane.runners.size + 1}`,
    instanceId,
    registration,
    isConnected: true,
    isDraining: false,
    lastSeenMs: 0,
    quietUntilMs: 0,
    attempts: new Set(),
    send: link.send,
  };
  plane.runners.set(instanceId, runner);
  runner.registration = registration;
  runner.isConnected = true;
  runner.send = link.send;
  // Said again over the same link, it may be a late copy of what was said first, and tells nothing of what came since.
  if (link.isFirst) reconcile(plane, runner, new Set(held));
  const reply = {
    runnerId: runner.runnerId,
    registeredAt: new Date(plane.clock.now()).toISOString(),
    heartbeatIntervalMs: plane.heartbeatIntervalMs,
    leaseMs: plane.leaseMs,
    contractVersion: CONTRACT_VERSION_CURRENT,
  };
  runner.send({ type: 'ready', registration: reply });
  return runner;
}

type Cancel = { kind: 'cancel'; executionId: string; reason: 'user' | 'lease-lost' };

/** What a runner must be told of an execution that it says it has. */
function cancelOf(plane: Plane, executionId: string): Cancel | undefined {
  const attempt = plane.attempts.get(executionId);
  if (attempt?.phase === 'superseded') return { kind: 'cancel', executionId, reason: 'lease-lost' };
  const isCancelled = attempt?.phase === 'running' && attempt.job.isCancelled;
  return isCancelled ? { kind: 'cancel', executionId, reason: 'user' } : undefined;
}

function onHeartbeat(plane: Plane, runner: KnownRunner, heartbeat: RunnerHeartbeat): void {
  const { executions = [], draining = false } = heartbeat;
  // Once it drains it drains: what says otherwise is older.
  runner.isDraining ||= draining;
  for (const executionId of executions) {
    const attempt = plane.attempts.get(executionId);
    if (attempt?.phase === 'running' && attempt.runner === runner) renewLease(plane, attempt);
  }
  const directives = executions.flatMap((executionId) => cancelOf(plane, executionId) ?? []);
  runner.send({ type: 'heartbeat', reply: { known: true, receiving: !runner.isDraining, directives } });
}

interface Claim {
  readonly executionId: string;
  readonly leaseToken?: string | undefined;
}

/** Why an execution is not the runner's: undefined when it is. */
function refusalOf(
  attempt: Attempt | undefined,
  claim: Claim,
): 'LEASE_SUPERSEDED' | 'EXECUTION_NOT_FOUND' | undefined {
  if (!attempt) return 'EXECUTION_NOT_FOUND';
  const isCurrent = attempt.phase !== 'superseded' && attempt.leaseToken === claim.leaseToken;
  return isCurrent ? undefined : 'LEASE_SUPERSEDED';
}

function onAccept(plane: Plane, runner: KnownRunner, claim: Claim): void {
  const { executionId } = claim;
  const attempt = plane.attempts.get(executionId);
  const code = attempt?.phase === 'ended' ? 'LEASE_SUPERSEDED' : refusalOf(attempt, claim);
  if (code !== undefined || !attempt) {
    return runner.send({ type: 'confirmed', executions: [{ executionId, ...(code && { code }) }] });
  }
  if (attempt.phase === 'offered') {
    if (attempt.timer !== undefined) plane.clock.clearTimeout(attempt.timer);
    attempt.timer = undefined;
    attempt.phase = 'running';
    attempt.startedMs = plane.clock.elapsed();
    attempt.job.state = 'running';
    attempt.job.attempts++;
    armDeadline(plane, attempt);
  }
  renewLease(plane, attempt);
  runner.send({ type: 'confirmed', executions: [{ executionId }] });
}

function takeEvent(plane: Plane, attempt: Attempt, event: ExecutionEvent): void {
  attempt.lastSeq = event.seq;
  attempt.job.events.push(event);
  if (isTerminalEvent(event)) return endByEvent(plane, attempt, event);
  if (event.type === 'checkpoint') attempt.job.checkpoint = event.data;
  if (event.type === 'writing') attempt.isWriting = true;
  if (event.type !== 'extended') return;
  attempt.timeoutMs = event.timeoutMs;
  armDeadline(plane, attempt);
}

function onEvents(
  plane: Plane,
  runner: KnownRunner,
  told: Claim & { events: readonly ExecutionEvent[] },
): void {
  const { executionId, events } = told;
  const attempt = plane.attempts.get(executionId);
  const code = refusalOf(attempt, told);
  if (code !== undefined || !attempt) {
    return runner.send({
      type: 'acknowledged',
      executions: [{ executionId, seq: 0, ...(code && { code }) }],
    });
  }
  if (attempt.phase === 'running') renewLease(plane, attempt);
  for (const event of events) {
    if (attempt.phase !== 'ended' && event.seq > attempt.lastSeq) takeEvent(plane, attempt, event);
  }
  runner.send({ type: 'acknowledged', executions: [{ executionId, seq: Math.max(0, attempt.lastSeq) }] });
}

function forget(plane: Plane, runner: KnownRunner): void {
  plane.runners.delete(runner.instanceId);
  runner.isConnected = false;
  reconcile(plane, runner, new Set());
}

/** Makes the control plane's end of one link. */
export function createPlaneEnd(plane: Plane, send: (frame: ServerFrame) => void): PlaneEnd {
  let runner: KnownRunner | undefined;
  let isFirst = true;

  const read = (known: KnownRunner, frame: Exclude<RunnerFrame, { type: 'register' }>): void => {
    switch (frame.type) {
      case 'heartbeat':
        return onHeartbeat(plane, known, frame.heartbeat);
      case 'accept':
        return frame.executions.forEach((claim) => onAccept(plane, known, claim));
      case 'events':
        return frame.executions.forEach((told) => onEvents(plane, known, told));
      case 'deregister':
        runner = undefined;
        return forget(plane, known);
    }
  };
  return {
    onFrame(frame) {
      if (frame.type === 'register') {
        runner = register(plane, frame.registration, { isFirst, send });
        isFirst = false;
      } else if (runner) {
        read(runner, frame);
      } else if (frame.type === 'heartbeat') {
        send({ type: 'heartbeat', reply: { known: false, receiving: false, directives: [] } });
      }
      if (runner) runner.lastSeenMs = plane.clock.elapsed();
      plane.place();
    },
    onCut() {
      isFirst = true;
      if (!runner) return;
      runner.isConnected = false;
      for (const attempt of [...runner.attempts]) if (attempt.phase === 'offered') takeBack(plane, attempt);
      plane.place();
    },
  };
}
