import type { QuarterbackNodeStatus } from '@controlplane/contracts/quarterback';
import { DEFAULTS } from '@controlplane/contracts';
import { backoffMs } from '../../util/backoff.js';
import { sleep } from '../../util/clock.js';
import { within } from '../../util/within.js';
import type { HostedRunner, HostSession } from '../host.js';
import { needsRegistration, notReached, type Answer } from '../refusals.js';
import {
  createSessionState,
  FAREWELL_MS,
  onConnected,
  onLost,
  onStopped,
  type SessionState,
} from '../session-state.js';
import { createCurrentNode, stateNameOf, type CurrentNode, type KnownNode } from './current-node.js';
import type { ResolvedQuarterbackOptions } from './options.js';
import { createQuarterbackCalls, type Pending, type QuarterbackCalls } from './quarterback-calls.js';
import { createQuarterbackTasks, type QuarterbackTasks } from './quarterback-tasks.js';
import { createReports, type Reports } from './reports.js';
import { createTaskLedger, type TaskLedger } from './task-ledger.js';
import { checkCapability } from './to-request.js';

interface State {
  readonly session: SessionState;
  readonly options: ResolvedQuarterbackOptions;
  readonly calls: QuarterbackCalls;
  readonly node: CurrentNode;
  readonly ledger: TaskLedger;
  readonly reports: Reports;
  readonly tasks: QuarterbackTasks;
  readonly leaving: AbortController;
  /** Aborted where the next question is due before its time. */
  poke: AbortController;
  /** Whether nothing was asked for want of a slot. */
  isStarved: boolean;
  isDraining: boolean;
  /** The last heartbeat is on its way: none comes after it. */
  isGone: boolean;
  failures: number;
  /** The heartbeat that is under way, and whether another is due. */
  beating: Promise<void> | undefined;
  isBeatDue: boolean;
}

const NOBODY = notReached('UNREACHABLE', 'the control plane does not know this runner');

/** A call in the name of the runner: registers before it where nobody knows it, and after it where nobody does any more. */
async function asNode<T>(
  { session, node }: Pick<State, 'session' | 'node'>,
  call: (known: KnownNode) => Promise<Answer<T>>,
): Promise<Answer<T>> {
  const known = await node.current();
  if (!known) return NOBODY;
  const answer = await call(known);
  if (answer.ok) node.accepted(known);
  else if (needsRegistration(answer)) node.rejected(known, answer);
  if (answer.ok && session.state !== 'refused') onConnected(session, known.id);
  return answer;
}

function ask(state: State): void {
  state.poke.abort();
}

/** Slots that neither run something nor are promised. */
function freeSlots({ session: { runner }, tasks }: State): number {
  const { used, total } = runner.slots();
  return total - used - tasks.waiting();
}

function onFailure(state: State, reason: string): number {
  const { session, options, failures } = state;
  const wasConnected = session.state === 'connected';
  onLost(session);
  session.runner.logger[wasConnected ? 'warn' : 'debug'](
    { reason },
    `${session.controlPlaneUrl} does not answer; asking again`,
  );
  state.failures++;
  const { reconnectMinMs: minMs } = DEFAULTS;
  const bounds = { minMs, maxMs: Math.max(minMs, options.pollIntervalMs) };
  return backoffMs(failures, bounds, session.runner.random());
}

/** Asks once; returns the milliseconds until the next time. */
async function poll(state: State): Promise<number> {
  const { session, options, calls, tasks, leaving } = state;
  state.isStarved = freeSlots(state) <= 0;
  if (state.isStarved || state.isDraining || session.runner.isDraining()) return options.pollIntervalMs;
  const answer: Answer<Pending> = await asNode(state, ({ apiKey }) => calls.pending(apiKey, leaving.signal));
  if (!answer.ok) return Math.max(onFailure(state, answer.message), answer.retryAfterMs ?? 0);
  state.failures = 0;
  return tasks.take(answer.value) ? 0 : options.pollIntervalMs;
}

async function pollForEver(state: State): Promise<void> {
  const { session, leaving } = state;
  const { clock, random } = session.runner;
  while (!leaving.signal.aborted && session.state !== 'refused') {
    state.poke = new AbortController();
    const delayMs = await poll(state);
    // ±10 %, so that a fleet does not ask in step.
    if (delayMs > 0)
      await sleep(
        clock,
        delayMs * (0.9 + 0.2 * random()),
        AbortSignal.any([leaving.signal, state.poke.signal]),
      );
  }
}

async function statusOf({ session: { runner }, tasks }: State): Promise<QuarterbackNodeStatus> {
  if ((await runner.health.check()).status === 'unhealthy') return 'error';
  const { used, total } = runner.slots();
  return tasks.current() !== undefined || used >= total || runner.isDraining() ? 'busy' : 'idle';
}

async function sendBeat(state: State, status: QuarterbackNodeStatus): Promise<void> {
  const { calls, tasks, session } = state;
  const answer = await asNode(state, ({ id, apiKey }) =>
    calls.heartbeat(apiKey, { node_id: id, status, current_task_id: tasks.current() ?? null }),
  );
  if (!answer.ok) session.runner.logger.debug({ reason: answer.message }, 'a heartbeat was not taken');
}

/** Beats now; while one is under way, once more after it. */
function beat(state: State): void {
  state.isBeatDue = true;
  state.beating ??= (async () => {
    while (state.isBeatDue && !state.isGone && state.session.state !== 'refused') {
      state.isBeatDue = false;
      await sendBeat(state, await statusOf(state));
    }
    state.beating = undefined;
  })();
}

async function beatForEver(state: State): Promise<void> {
  const { session, options, leaving } = state;
  const { clock, random } = session.runner;
  while (!leaving.signal.aborted && session.state !== 'refused') {
    beat(state);
    await state.beating;
    await sleep(clock, options.heartbeatIntervalMs * (0.9 + 0.2 * random()), leaving.signal);
  }
}

/** What an earlier process took is not left to wait for its end. */
async function tellWhatWasLeft({ ledger, reports, session }: State): Promise<void> {
  const at = new Date(session.runner.clock.now()).toISOString();
  for (const { taskId, final } of await ledger.left()) {
    const message = 'RUNNER_LOST: the runner was restarted while the task ran';
    reports.end(taskId, {
      final: final ?? { task_id: taskId, status: 'error', message, timestamp: at },
    });
  }
}

function createState(runner: HostedRunner, options: ResolvedQuarterbackOptions): State {
  const session = createSessionState(runner, options.url);
  const leaving = new AbortController();
  const calls = createQuarterbackCalls(options.url, runner.fetch);
  const node = createCurrentNode({ session, options, calls, leaving: leaving.signal });
  const by = { session, node };
  const ledger = createTaskLedger(
    runner,
    `${stateNameOf(options.url, options.nodeName ?? runner.manifest.name)}-open`,
  );
  const reports = createReports({
    runner,
    sendStatus: (update) => asNode(by, ({ apiKey }) => calls.status(apiKey, update)),
    sendLogs: (logs) => asNode(by, ({ apiKey }) => calls.logs(apiKey, logs)),
    onCancelled: (taskId) => state.tasks.cancel(taskId),
    onTold: (taskId) => void ledger.close(taskId),
    leaving: leaving.signal,
  });
  const tasks = createQuarterbackTasks({
    runner,
    options,
    reports,
    ledger,
    fetchFile: (name, limit) => asNode(by, ({ apiKey }) => calls.file(apiKey, name, limit)),
    onChange(isNew) {
      beat(state);
      // What is given again and again is not asked for without a pause.
      if (isNew) ask(state);
    },
  });
  const state: State = {
    session,
    options,
    calls,
    node,
    ledger,
    reports,
    tasks,
    leaving,
    poke: new AbortController(),
    isStarved: false,
    isDraining: false,
    isGone: false,
    failures: 0,
    beating: undefined,
    isBeatDue: false,
  };
  return state;
}

/**
 * Makes the session of one runner at one Quarterback.
 * @throws RunnerError `INVALID_OPTION` where the runner has no capability for tasks
 */
export function attachQuarterback(runner: HostedRunner, options: ResolvedQuarterbackOptions): HostSession {
  checkCapability(runner.manifest, options);
  const state = createState(runner, options);
  const { session, reports, tasks, leaving, node } = state;
  let loops: Promise<unknown> = Promise.resolve();
  let stopListening = (): void => undefined;
  return {
    get status() {
      const { state: where, runnerId, refusal } = session;
      return { state: where, runnerId, refusal, delivery: 'poll', unacknowledged: reports.untold() };
    },
    start() {
      stopListening = runner.onSlotFreed(() => {
        if (state.isStarved) ask(state);
      });
      loops = Promise.all([tellWhatWasLeft(state), pollForEver(state), beatForEver(state)]);
    },
    ready: session.registration.promise,
    reasons: () => (session.state === 'connected' ? [] : [`not connected to ${session.controlPlaneUrl}`]),
    async announceDrain() {
      state.isDraining = true;
      tasks.giveUp();
      beat(state);
      await within(FAREWELL_MS, state.beating ?? Promise.resolve());
    },
    async leave(reason) {
      stopListening();
      tasks.giveUp();
      runner.logger.debug({ reason }, `leaving ${session.controlPlaneUrl}`);
      if (session.state !== 'refused' && session.runnerId !== undefined) {
        await within(FAREWELL_MS, reports.whenTold());
        state.isGone = true;
        // One that is under way would be read after the last one.
        await within(FAREWELL_MS, state.beating ?? Promise.resolve());
        await within(FAREWELL_MS, sendBeat(state, 'offline'));
      }
      state.isGone = true;
      leaving.abort();
      onStopped(session);
      await within(FAREWELL_MS, Promise.all([loops, node.settled()]));
    },
  };
}
