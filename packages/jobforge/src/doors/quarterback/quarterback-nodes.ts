import { randomUUID } from 'node:crypto';
import type { ErrorCode, RunnerMetadata } from '@controlplane/contracts';
import type {
  QuarterbackAssignment,
  QuarterbackHeartbeat,
  QuarterbackLogs,
  QuarterbackLogSession,
  QuarterbackStatusUpdate,
} from '@controlplane/contracts/quarterback';
import type { Caller } from '../../model/caller.js';
import { JobForgeError } from '../../model/job-forge-error.js';
import { createCalledRunner, type CalledRunner } from '../called-runner.js';
import type { DoorParts } from '../door.js';
import type { ForeignExecution } from '../foreign-execution.js';
import { createRunnersByIdentity } from '../foreign-runners.js';
import type { Announcement } from '../foreign-side.js';
import { NO_ROOM_BYTES } from '../rest.js';
import { createTurnstile, type Turnstile } from '../turnstile.js';
import { tellLogs, tellStatus, toAssignment, type AskedTask } from './task.js';

/** A task that a runner was given, or is to be given. */
interface Task extends AskedTask {
  readonly execution: ForeignExecution;
  session: QuarterbackLogSession | undefined;
  /** How often it was given, and when last; until its runner says something of it. */
  given: number;
  givenAt: number;
  isHeardOf: boolean;
}

interface Node {
  readonly called: CalledRunner;
  readonly tasks: Map<string, Task>;
  /** Since when it has said that it does nothing; undefined where it has said anything else since. */
  idleSince: number | undefined;
  /** Whoever waits for something to do. */
  poll: (() => void) | undefined;
  /** Reports go through it. */
  readonly turnstile: Turnstile;
  isIdle(): boolean;
}

/** The runners behind the door, from one of their calls to the next. */
export interface QuarterbackNodes {
  /** Resolves with what to do, after a while without. */
  next(who: Known, signal: AbortSignal): Promise<Omit<QuarterbackAssignment, 'orchestrator_url'> | null>;
  beat(who: Known, said: Pick<QuarterbackHeartbeat, 'status' | 'current_task_id'>): Promise<void>;
  /** Resolves with false where the runner is not listened to now: too much that it told waits to be written. */
  mayReport(who: Known, signal: AbortSignal): Promise<boolean>;
  /** False for a task that is not the runner's any more. */
  status(who: Known, update: QuarterbackStatusUpdate): boolean;
  logs(who: Known, logs: QuarterbackLogs): void;
  file(who: Known, name: string): Buffer | undefined;
}

/** A runner that has proved who it is. */
export interface Known {
  readonly caller: Caller;
  readonly metadata: RunnerMetadata;
}

/** Three times the interval at which its own runner asks. */
const FRESH_MS = 90_000;
/** How long a question is held while there is nothing to do; a runner gives up after 30 s. */
const HOLD_MS = 10_000;
/** After so long it is given a task again of which it has said nothing: the answer was lost, or the task failed at once. */
const GIVE_AGAIN_MS = 10_000;
const MAX_GIVEN = 3;
/** Reports of one runner that wait to be read; its own has one under way. */
const MAX_WAITING_REPORTS = 16;

function run(node: Node, execution: ForeignExecution): void {
  const id = randomUUID();
  const asked = toAssignment(id, execution.request);
  node.tasks.set(id, {
    ...asked,
    ...{ execution, session: undefined, given: 0, givenAt: 0, isHeardOf: false },
  });
  node.poll?.();
}

/** It is told when it says something of the task next; one that was not given yet has not begun. */
function cancel({ called, tasks }: Node, id: string): void {
  const execution = called.execution(id);
  const waits = [...tasks.values()].some((task) => task.execution.id === id && task.given === 0);
  if (waits && execution?.cancelled) execution.end({ type: 'cancelled', reason: execution.cancelled });
}

function createNode(parts: DoorParts): Node {
  const turnstile = createTurnstile(MAX_WAITING_REPORTS);
  const called = createCalledRunner({
    ...parts,
    ...{ freshMs: FRESH_MS, isRegisteredByCalls: false },
    side: {
      bufferedBytes: () => (node.poll === undefined ? NO_ROOM_BYTES : 0),
      ...{ pause: turnstile.close, resume: turnstile.open },
      run: (execution) => run(node, execution),
      cancel: (id) => cancel(node, id),
    },
    onGone() {
      for (const { execution } of node.tasks.values())
        execution.end({ type: 'cancelled', reason: 'lease-lost' });
      node.tasks.clear();
    },
  });
  const node: Node = {
    ...{ called, turnstile, tasks: new Map(), idleSince: undefined, poll: undefined },
    isIdle: called.isIdle,
  };
  return node;
}

/** What is known of a runner, as it would announce itself. */
function announcementOf({ metadata }: Known): Announcement {
  const { name, version, contractVersion, capabilities, tags, labels, platform, machineId } = metadata;
  return {
    ...{ name, version, contractVersion, capabilities, tags, delivery: { kind: 'websocket' } },
    ...{ maxConcurrency: metadata.maxConcurrency ?? 1, machineId },
    ...(labels && { labels }),
    ...(platform && { platform }),
  };
}

/** Ends a task of which nothing more is to be told. */
function giveUp({ execution }: Task, code: ErrorCode, message: string): void {
  const { cancelled } = execution;
  if (cancelled !== undefined) return execution.end({ type: 'cancelled', reason: cancelled, message });
  execution.end({ type: 'failed', error: new JobForgeError(code, { message }).envelope });
}

/** For so long it has said that it does nothing: what it has not told by now is lost, as when it was started anew. */
function giveUpIdle({ clock }: DoorParts, node: Node): void {
  node.idleSince ??= clock.now();
  if (clock.now() - node.idleSince < node.called.leaseMs()) return;
  const message = 'Its runner says that it does nothing, and never said how the task ended.';
  for (const task of node.tasks.values()) if (task.isHeardOf) giveUp(task, 'RUNNER_LOST', message);
}

/** What a runner is to be given: something new, or what it has said nothing of. */
function due({ clock }: DoorParts, { tasks, called }: Node): Task | undefined {
  const now = clock.now();
  for (const [id, task] of tasks) {
    if (task.execution.ended || called.execution(task.execution.id) === undefined) tasks.delete(id);
    else if (!task.isHeardOf && (task.given === 0 || now - task.givenAt >= GIVE_AGAIN_MS)) {
      if (task.given < MAX_GIVEN && task.execution.cancelled === undefined) return task;
      const message = `The runner was given the task ${task.given} times and said nothing of it.`;
      giveUp(task, 'RUNNER_PROTOCOL_ERROR', message);
    }
  }
  return undefined;
}

/** Waits until there is something to do, for a while. */
function awaited({ clock }: DoorParts, node: Node, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      stopTimer();
      signal.removeEventListener('abort', settle);
      if (node.poll === settle) node.poll = undefined;
      resolve();
    };
    const stopTimer = clock.after(HOLD_MS, settle);
    signal.addEventListener('abort', settle);
    node.poll?.();
    node.poll = settle;
    // Now that it asks, it is offered something.
    node.called.onDrain();
  });
}

export function createQuarterbackNodes(parts: DoorParts): QuarterbackNodes {
  const nodes = createRunnersByIdentity(parts.clock, () => createNode(parts));
  const heard = async (who: Known): Promise<Node> => {
    const node = nodes.of(who.metadata.id);
    await node.called.call({ caller: who.caller, announcement: announcementOf(who) });
    return node;
  };
  const taskOf = ({ metadata }: Known, id: string): Task | undefined => {
    const node = nodes.find(metadata.id);
    node?.called.onSeen();
    if (node !== undefined) node.idleSince = undefined;
    const task = node?.tasks.get(id);
    if (task !== undefined) task.isHeardOf = true;
    return task;
  };
  return {
    async next(who, signal) {
      const node = await heard(who);
      if (due(parts, node) === undefined && !signal.aborted) await awaited(parts, node, signal);
      const task = signal.aborted ? undefined : due(parts, node);
      if (task === undefined) return null;
      Object.assign(task, { given: task.given + 1, givenAt: parts.clock.now() });
      return task.assignment;
    },
    async beat(who, { status, current_task_id: current = null }) {
      if (status === 'offline') return nodes.find(who.metadata.id)?.called.leave();
      const node = await heard(who);
      if (status === 'idle' && current === null) giveUpIdle(parts, node);
      else node.idleSince = undefined;
    },
    async mayReport({ metadata }, signal) {
      const node = nodes.find(metadata.id);
      if (node === undefined) return true;
      // Whoever waits to be heard is there.
      node.called.onSeen();
      return node.turnstile.pass(signal);
    },
    status(who, update) {
      const task = taskOf(who, update.task_id);
      if (task === undefined) return false;
      const { execution, session } = task;
      if (tellStatus(execution, update, session) || execution.cancelled === undefined) return true;
      const message = 'Its runner is told by the answer to its report; one of Quarterback’s own goes on.';
      execution.end({ type: 'cancelled', reason: execution.cancelled, message });
      return false;
    },
    logs(who, { task_id, session }) {
      const task = taskOf(who, task_id);
      if (task === undefined) return;
      task.session = session;
      tellLogs(task.execution, session);
    },
    file({ metadata }, name) {
      const tasks = nodes.find(metadata.id)?.tasks.values() ?? [];
      // Of the one that it was given last.
      return [...tasks].findLast(({ given, files }) => given > 0 && files.has(name))?.files.get(name);
    },
  };
}
