import {
  DEFAULTS,
  Directive,
  type Limits,
  type RunnerHeartbeat,
  type RunnerHeartbeatResponse,
  type RunnerRegistrationResponse,
} from '@controlplane/contracts';
import type { HostedRunner, StandIn } from '../host.js';
import { createSessionState, onConnected, type SessionState } from '../session-state.js';

/** What the control plane may ask of a line between two heartbeats. */
export interface LineActions {
  /** Registers again. */
  renew(): void;
  /** Gives up the connection and makes another, after so many milliseconds. */
  reconnect(afterMs: number): void;
}

/** What every line to a control plane shares: who the runner is there, and what was said last. */
export interface SessionCore extends SessionState {
  intervalMs: number;
  leaseMs: number;
  /** What the control plane accepts, once it has said so. */
  limits: Limits | undefined;
  /** Heartbeats in a row that were not answered. */
  missed: number;
  receiving: boolean;
  readonly standIn: StandIn | undefined;
  /** Set by the line before it starts. */
  actions: LineActions | undefined;
  /** The `authorization` header of a request that is made now. */
  authorization: () => string | undefined;
}

/** Makes the core of a session that has not started. */
export function createSessionCore(runner: HostedRunner, controlPlaneUrl: string): SessionCore {
  const core: SessionCore = {
    ...createSessionState(runner, controlPlaneUrl),
    intervalMs: DEFAULTS.heartbeatIntervalMs,
    leaseMs: DEFAULTS.leaseMs,
    limits: undefined,
    missed: 0,
    receiving: true,
    standIn: runner.standIn?.((reply) => onBeatReply(core, reply)),
    actions: undefined,
    authorization: () => undefined,
  };
  return core;
}

/** Takes over what a registration was answered with. */
export function onRegistered(core: SessionCore, reply: RunnerRegistrationResponse): void {
  const isFirst = core.runnerId === undefined;
  core.intervalMs = reply.heartbeatIntervalMs;
  core.leaseMs = reply.leaseMs ?? DEFAULTS.leaseMs;
  core.limits = reply.limits;
  core.missed = 0;
  core.receiving = true;
  onConnected(core, reply.runnerId);
  const fields = {
    runnerId: reply.runnerId,
    controlPlane: core.controlPlaneUrl,
    heartbeatIntervalMs: reply.heartbeatIntervalMs,
  };
  core.runner.logger.info(fields, isFirst ? 'registered' : 'registered again');
  for (const { capability, path, message } of reply.warnings ?? [])
    core.runner.logger.warn({ capability, at: path.join('.') }, message);
  updateStandIn(core);
}

/** So many heartbeats in a row were not answered; 0 once one was. */
export function onMissed(core: SessionCore, missed: number): void {
  if (core.missed === missed) return;
  core.missed = missed;
  core.runner.changed();
}

/** A sign of life, as the contract words it. */
export function composeBeat(core: SessionCore): RunnerHeartbeat {
  const { runner, runnerId = 'unknown' } = core;
  const executions = runner.running();
  // Not awaited: a dependency that hangs must not hold up a beat; the next one tells of it.
  void runner.health.check();
  return {
    runnerId,
    instanceId: runner.instanceId,
    timestamp: new Date(runner.clock.now()).toISOString(),
    status: runner.health.last,
    activeJobs: executions.length,
    // Nothing waits here: what finds no slot is refused, and stays in the control plane's queue.
    queuedJobs: 0,
    metrics: runner.vitals(),
    executions,
    ...(runner.isDraining() ? { draining: true } : {}),
  };
}

/** Tells whoever beats in this session's stead what to beat with. */
export function updateStandIn(core: SessionCore): void {
  const { runner, runnerId, controlPlaneUrl, intervalMs, standIn } = core;
  if (!standIn || runnerId === undefined) return;
  standIn.update({
    runnerId,
    url: `${controlPlaneUrl.replace(/\/+$/, '')}/runners/heartbeat`,
    authorization: core.authorization(),
    intervalMs,
    status: runner.health.last,
    draining: runner.isDraining(),
  });
}

function follow(core: SessionCore, directives: readonly Directive[]): boolean {
  let isToRegister = false;
  for (const directive of directives) {
    if (directive.kind === 'cancel') core.runner.cancel(directive.executionId, directive.reason);
    if (directive.kind === 'reconnect') core.actions?.reconnect(directive.afterMs);
    if (directive.kind === 'drain') core.runner.drain('the control plane asked for it');
    isToRegister ||= directive.kind === 'register';
  }
  return isToRegister;
}

/** Follows the directives that are understood; kinds that are not are ignored. */
export function onDirectives(core: SessionCore, directives: readonly unknown[]): void {
  const known = directives.flatMap((directive) => Directive.safeParse(directive).data ?? []);
  if (follow(core, known)) core.actions?.renew();
}

/** Takes over what a heartbeat was answered with. */
export function onBeatReply(core: SessionCore, reply: RunnerHeartbeatResponse): void {
  if (reply.heartbeatIntervalMs !== undefined) core.intervalMs = reply.heartbeatIntervalMs;
  core.receiving = reply.receiving;
  core.standIn?.beaten();
  updateStandIn(core);
  const known = reply.directives.flatMap((directive) => Directive.safeParse(directive).data ?? []);
  const isToRegister = follow(core, known);
  if (reply.known && !isToRegister) return;
  core.runner.logger.warn(
    { runnerId: core.runnerId },
    'the control plane does not know this runner any more; registering again',
  );
  core.actions?.renew();
}

/** Why work may not arrive, in words. */
export function sessionReasons({ state, missed, receiving }: SessionCore): string[] {
  if (state === 'refused') return ['the control plane refused this runner for good'];
  if (state !== 'connected') return ['not registered with the control plane yet'];
  const found: string[] = [];
  if (missed >= DEFAULTS.missedHeartbeats) found.push(`the last ${missed} heartbeats were not answered`);
  if (!receiving) found.push('the control plane sends no work to this runner');
  return found;
}
