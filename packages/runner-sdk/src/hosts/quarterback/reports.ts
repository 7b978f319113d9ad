import type { QuarterbackLogs, QuarterbackStatusUpdate } from '@controlplane/contracts/quarterback';
import { DEFAULTS } from '@controlplane/contracts';
import { backoffMs } from '../../util/backoff.js';
import { sleep } from '../../util/clock.js';
import type { HostedRunner } from '../host.js';
import { isPermanent, type Answer, type Refusal } from '../refusals.js';

/** How a task ended. */
export interface TaskEnd {
  readonly logs?: QuarterbackLogs | undefined;
  /** Undefined where the control plane has said itself that it is over. */
  readonly final: QuarterbackStatusUpdate | undefined;
}

/** What reports are sent with. */
export interface ReportsOptions {
  readonly runner: Pick<HostedRunner, 'clock' | 'random' | 'logger'>;
  /** Must not reject. */
  sendStatus(update: QuarterbackStatusUpdate): Promise<Answer<{ readonly isCancelled: boolean }>>;
  sendLogs(logs: QuarterbackLogs): Promise<Answer<unknown>>;
  /** The task is not wanted any more. */
  onCancelled(taskId: string): void;
  /** The control plane knows how it ended, or will not be told. */
  onTold(taskId: string): void;
  readonly leaving: AbortSignal;
}

/** Reports on their way: each task's in order, the end of each until it is taken. */
export interface Reports {
  /**
   * How a task goes. One report is under way at a time; what is said meanwhile is one more after it.
   * @param make - asked when it is sent
   */
  say(taskId: string, make: () => QuarterbackStatusUpdate): void;
  end(taskId: string, end: TaskEnd): void;
  /** Ends that are not taken yet. */
  untold(): number;
  /** Resolves when there are none. */
  whenTold(): Promise<void>;
}

interface Line {
  next: (() => QuarterbackStatusUpdate) | undefined;
  end: TaskEnd | undefined;
  isSending: boolean;
}

/** A log that nobody takes does not keep the end of its task from being told. */
const LOG_ATTEMPTS = 3;

const BACKOFF = { minMs: DEFAULTS.reconnectMinMs, maxMs: DEFAULTS.reconnectMaxMs };

/** A key that is not taken any more is replaced, and what was refused with it sent again with the next. */
const isFinal = (refusal: Refusal): boolean => isPermanent(refusal) && refusal.code === 'VALIDATION_ERROR';

interface State extends ReportsOptions {
  readonly lines: Map<string, Line>;
  readonly waiters: Set<() => void>;
}

const untold = ({ lines }: State): number =>
  [...lines.values()].filter(({ end }) => end !== undefined).length;

interface Delivery<T> {
  readonly what: string;
  readonly attempts: number;
  send(): Promise<Answer<T>>;
  /** Whether it need not be said any more. */
  isStale?(): boolean;
}

/** Sends until it is taken, refused for good, or out of attempts. */
async function deliver<T>({ runner, leaving }: State, delivery: Delivery<T>): Promise<Answer<T> | undefined> {
  const { what, attempts } = delivery;
  for (let attempt = 0; !leaving.aborted && !delivery.isStale?.(); attempt++) {
    const answer = await delivery.send();
    if (answer.ok) return answer;
    const isOver = isFinal(answer) || attempt + 1 >= attempts;
    const delayMs = Math.max(backoffMs(attempt, BACKOFF, runner.random()), answer.retryAfterMs ?? 0);
    runner.logger[attempt === 0 || isOver ? 'warn' : 'debug'](
      { reason: answer.message, attempt: attempt + 1 },
      isOver ? `${what} was not taken and is given up` : `${what} was not taken; it is sent again`,
    );
    if (isOver) return answer;
    await sleep(runner.clock, delayMs, leaving);
  }
  return undefined;
}

async function sendNext(state: State, taskId: string, line: Line): Promise<void> {
  const update = line.next?.();
  if (!update) return;
  line.next = undefined;
  const answer = await deliver(state, {
    what: `a report of task ${taskId}`,
    attempts: Number.POSITIVE_INFINITY,
    send: () => state.sendStatus(update),
    isStale: () => line.end !== undefined,
  });
  if (answer?.ok && answer.value.isCancelled) state.onCancelled(taskId);
}

async function sendEnd(state: State, taskId: string, { logs, final }: TaskEnd): Promise<void> {
  if (logs)
    await deliver(state, {
      what: `the log of task ${taskId}`,
      attempts: LOG_ATTEMPTS,
      send: () => state.sendLogs(logs),
    });
  if (final)
    await deliver(state, {
      what: `the end of task ${taskId}`,
      attempts: Number.POSITIVE_INFINITY,
      send: () => state.sendStatus(final),
    });
  // What could not be told before the runner goes is told by its next start.
  if (state.leaving.aborted) return;
  state.lines.delete(taskId);
  state.onTold(taskId);
  for (const waiter of [...state.waiters]) waiter();
}

async function send(state: State, taskId: string, line: Line): Promise<void> {
  if (line.isSending) return;
  line.isSending = true;
  while (line.next && !line.end && !state.leaving.aborted) await sendNext(state, taskId, line);
  if (line.end) await sendEnd(state, taskId, line.end);
  line.isSending = false;
}

function lineOf({ lines }: State, taskId: string): Line {
  const found = lines.get(taskId);
  if (found) return found;
  const line: Line = { next: undefined, end: undefined, isSending: false };
  lines.set(taskId, line);
  return line;
}

/** Makes them. */
export function createReports(options: ReportsOptions): Reports {
  const state: State = { ...options, lines: new Map(), waiters: new Set() };
  const { waiters } = state;
  return {
    say(taskId, make) {
      const line = lineOf(state, taskId);
      if (line.end) return;
      line.next = make;
      void send(state, taskId, line);
    },
    end(taskId, end) {
      const line = lineOf(state, taskId);
      if (line.end) return;
      line.end = end;
      void send(state, taskId, line);
    },
    untold: () => untold(state),
    whenTold: () =>
      new Promise((resolve) => {
        const check = (): void => {
          if (untold(state) > 0) return;
          waiters.delete(check);
          resolve();
        };
        waiters.add(check);
        check();
      }),
  };
}
