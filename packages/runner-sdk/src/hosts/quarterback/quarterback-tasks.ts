import { randomUUID } from 'node:crypto';
import {
  isTerminalEvent,
  type Artifact,
  type ExecutionEvent,
  type TerminalEvent,
} from '@controlplane/contracts';
import {
  QUARTERBACK_LOG_BYTES,
  QuarterbackLogSession,
  type QuarterbackAssignment,
  type QuarterbackStatusUpdate,
} from '@controlplane/contracts/quarterback';
import { RunnerError } from '../../errors/runner-error.js';
import type { ExecutionRequest, FileCarrier, LeftFile } from '../../execution/execute.js';
import type { TimerHandle } from '../../util/clock.js';
import { readWhole } from '../../util/read-whole.js';
import { sayThrown } from '../../util/safe-json.js';
import type { HostedRunner } from '../host.js';
import type { Answer } from '../refusals.js';
import { createTaskReport, type TaskReport } from './from-event.js';
import type { ResolvedQuarterbackOptions } from './options.js';
import type { Pending } from './quarterback-calls.js';
import type { Reports } from './reports.js';
import { fetchTaskFiles } from './task-files.js';
import type { TaskLedger } from './task-ledger.js';
import { toRequest } from './to-request.js';

/** What tasks are made of. */
export interface QuarterbackTasksOptions {
  readonly runner: HostedRunner;
  readonly options: ResolvedQuarterbackOptions;
  readonly reports: Reports;
  readonly ledger: TaskLedger;
  fetchFile(
    name: string,
    limit: { readonly maxBytes: number; readonly signal: AbortSignal },
  ): Promise<Answer<Buffer>>;
  /**
   * One has begun or ended.
   * @param isNew - it was not given before: there may be more
   */
  onChange(isNew: boolean): void;
}

/** The tasks of one session. */
export interface QuarterbackTasks {
  /** Does what there is to do; false where nothing of it is new. */
  take(pending: Pending): boolean;
  /** The control plane wants it no more. */
  cancel(taskId: string): void;
  /** The one that was taken first. */
  current(): string | undefined;
  /** Those that were taken and have no slot yet. */
  waiting(): number;
  /** Ends those that have not begun: a runner that goes begins nothing. */
  giveUp(): void;
}

/** A file of this name that a container leaves is the log of its task. */
const SESSION_FILE = 'session.json';

/** Milliseconds after which a task that found no slot looks again, whoever was to say so. */
const LOOK_AGAIN_MS = 5_000;

/** Ids of tasks that have ended, to know one that is given again. */
const MAX_ENDED = 1_000;

const STOPPED = 'RUNNER_SHUTDOWN: the runner was stopped before the task began';

interface Open {
  readonly assignment: QuarterbackAssignment;
  readonly report: TaskReport;
  readonly isNew: boolean;
  /** Aborted where it is not to begin any more; the reason says why. */
  readonly stop: AbortController;
  request: ExecutionRequest | undefined;
  hasBegun: boolean;
  isUnwanted: boolean;
  timer: TimerHandle | undefined;
}

interface State extends QuarterbackTasksOptions {
  readonly prefix: string;
  readonly open: Map<string, Open>;
  readonly ended: Set<string>;
}

function errorOf(taskId: string, message: string, now: number): QuarterbackStatusUpdate {
  return { task_id: taskId, status: 'error', message, timestamp: new Date(now).toISOString() };
}

function over(state: State, open: Open, final: QuarterbackStatusUpdate): void {
  const { task_id: taskId } = open.assignment;
  if (!state.open.delete(taskId)) return;
  if (open.timer !== undefined) state.runner.clock.clearTimeout(open.timer);
  state.ended.add(taskId);
  const [oldest] = state.ended;
  if (state.ended.size > MAX_ENDED && oldest !== undefined) state.ended.delete(oldest);
  // It is called cancelled there already, and no other end is to be said of it.
  const told = open.isUnwanted ? undefined : final;
  if (told) void state.ledger.write({ taskId, final: told });
  state.reports.end(taskId, { logs: open.hasBegun ? open.report.logs() : undefined, final: told });
  state.onChange(open.isNew);
}

function fail(state: State, open: Open, message: string): void {
  over(state, open, errorOf(open.assignment.task_id, message, state.runner.clock.now()));
}

/** Reports while it runs: the answer says whether it is wanted. */
function keepReporting(state: State, open: Open): void {
  const { clock } = state.runner;
  state.reports.say(open.assignment.task_id, () => open.report.running());
  open.timer = clock.setTimeout(() => keepReporting(state, open), state.options.reportIntervalMs);
}

/** Another host took the slot that was free: the task keeps its place until there is one. */
function waitForSlot(state: State, open: Open): void {
  const { runner } = state;
  const again = (): void => {
    stopListening();
    runner.clock.clearTimeout(timer);
    open.stop.signal.removeEventListener('abort', again);
    start(state, open);
  };
  const stopListening = runner.onSlotFreed(again);
  const timer = runner.clock.setTimeout(again, LOOK_AGAIN_MS);
  open.stop.signal.addEventListener('abort', again, { once: true });
}

/** The one place for files that the protocol has is the log. */
function carrierOf(report: TaskReport): FileCarrier {
  return {
    async put(request: ExecutionRequest, file: LeftFile, signal: AbortSignal): Promise<Artifact> {
      signal.throwIfAborted();
      const refusal = (why: string): RunnerError =>
        new RunnerError('ARTIFACT_REFUSED', `the artifact ${file.name} was not left: ${why}`);
      if (file.name !== SESSION_FILE)
        throw refusal(
          `a Quarterback keeps no files but the log of a task, ${SESSION_FILE}; leave others in a folder that is mounted`,
        );
      if ((file.bytes ?? 0) > 2 * QUARTERBACK_LOG_BYTES) throw refusal('it is too large');
      const { content, bytes, sha256 } = await readWhole(file.read());
      try {
        report.replaceLog(QuarterbackLogSession.parse(JSON.parse(content.toString('utf8'))));
      } catch (error) {
        throw refusal(`it is no log of a session: ${sayThrown(error)}`);
      }
      const { jobId, executionId } = request;
      const createdAt = new Date().toISOString();
      return { name: file.name, jobId, executionId, bytes, sha256, contentType: file.contentType, createdAt };
    },
  };
}

function onEvent(state: State, open: Open, event: ExecutionEvent): void {
  if (event.type === 'accepted' && !open.hasBegun) {
    open.hasBegun = true;
    keepReporting(state, open);
    state.onChange(open.isNew);
  }
  open.report.take(event);
  if (isTerminalEvent(event)) onTerminal(state, open, event);
}

function onTerminal(state: State, open: Open, event: TerminalEvent): void {
  const isBusy = event.type === 'failed' && event.error.code === 'RUNNER_BUSY' && !open.hasBegun;
  if (isBusy && !open.stop.signal.aborted) waitForSlot(state, open);
  else over(state, open, open.report.end(event));
}

function start(state: State, open: Open): void {
  const { request, isUnwanted, stop } = open;
  if (isUnwanted || stop.signal.aborted || !request) return fail(state, open, STOPPED);
  const files = carrierOf(open.report);
  state.runner.run(request, (event) => onEvent(state, open, event), { files });
}

async function prepare(state: State, open: Open): Promise<void> {
  const { runner, options, ledger, fetchFile, prefix } = state;
  const { assignment, stop } = open;
  const { task_id: taskId } = assignment;
  try {
    await ledger.write({ taskId });
    const { maxFileBytes: maxBytes } = options;
    const files = await fetchTaskFiles(assignment, { runner, maxBytes, fetchFile, signal: stop.signal });
    open.request = toRequest(assignment, files, { executionId: `${prefix}.${taskId}`, options });
    start(state, open);
  } catch (error) {
    fail(state, open, stop.signal.aborted ? STOPPED : sayThrown(error));
  }
}

function take(state: State, pending: Pending): boolean {
  const { runner, options, open, ended, reports } = state;
  if (pending.kind === 'nothing') return false;
  const taskId = pending.kind === 'unreadable' ? pending.taskId : pending.assignment.task_id;
  if (open.has(taskId)) return false;
  const isNew = !ended.has(taskId);
  if (pending.kind === 'unreadable') {
    ended.add(taskId);
    const message = `the task cannot be read: ${pending.problem}`;
    reports.end(taskId, { final: errorOf(taskId, message, runner.clock.now()) });
    return isNew;
  }
  const { assignment } = pending;
  const one: Open = {
    assignment,
    report: createTaskReport(assignment, options.capability, () => runner.clock.now()),
    isNew,
    stop: new AbortController(),
    request: undefined,
    hasBegun: false,
    isUnwanted: false,
    timer: undefined,
  };
  open.set(taskId, one);
  void prepare(state, one);
  return isNew;
}

/** Makes the set, empty. */
export function createQuarterbackTasks(options: QuarterbackTasksOptions): QuarterbackTasks {
  const prefix = `quarterback-${randomUUID().slice(0, 8)}`;
  const state: State = { ...options, prefix, open: new Map(), ended: new Set() };
  const { open, runner } = state;
  return {
    take: (pending) => take(state, pending),
    cancel(taskId) {
      const found = open.get(taskId);
      if (!found) return;
      found.isUnwanted = true;
      found.stop.abort();
      if (found.request) runner.cancel(found.request.executionId, 'user');
    },
    current: () => open.keys().next().value,
    waiting: () => [...open.values()].filter(({ hasBegun }) => !hasBegun).length,
    giveUp() {
      for (const { hasBegun, stop } of open.values()) if (!hasBegun) stop.abort();
    },
  };
}
