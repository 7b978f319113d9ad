import { CLOSE_CODES, type Directive, type ErrorEnvelope } from '@controlplane/contracts';
import type { Clock } from '../model/clock.js';
import type { RunnerLink } from './runner-link.js';
import { createWaitingFrames, type Denial, type Outgoing, type WaitingFrames } from './waiting-frames.js';

/** What carries frames to a runner for as long as it stands: a socket, or one poll. */
export interface LinkConnection {
  /** Offers that it takes now. */
  room(): number;
  send(out: Outgoing): void;
  /** Whether the runner answers, within three seconds. */
  probe(): Promise<boolean>;
  close(code: number, reason: string): void;
  /** Says why it is closed, where that can be said over it. */
  refuse?(error: ErrorEnvelope): void;
}

/**
 * A link to a runner that dials in. It stands for as long as the runner is registered, whatever becomes of the
 * connections under it. What the runner tells goes past it, to whoever holds the connection, and so does word that
 * a connection is lost: listeners are never called.
 */
export interface SessionLink extends RunnerLink {
  connection(): LinkConnection | undefined;
  /** Puts a connection under it; one that is there is closed. */
  attach(connection: LinkConnection): void;
  /** Takes a connection away; false where another one has taken its place. */
  detach(connection: LinkConnection): boolean;
  /** Whether the runner connects within three seconds. */
  comesBack(): Promise<boolean>;
  /** Counts as connected for a while: the runner is about to connect. */
  expect(): void;
  /** Tells the runner what to do, with the next chance to. */
  instruct(directive: Directive): void;
  /** Answers a claim. */
  confirm(executionId: string, code?: Denial): void;
  /** Says that what the runner told of an execution need not be kept up to `seq`. */
  acknowledge(executionId: string, seq: number): void;
  /** Says that an execution is not the runner's. */
  deny(executionId: string, code: Denial): void;
  /** Says why the runner may not stay, and lets go of the connection. */
  refuse(error: ErrorEnvelope): void;
  /** Says that JobForge goes away, and lets go of the connection. */
  dismiss(afterMs: number): void;
}

export interface SessionLinkOptions {
  /** Bytes of offers in one message. */
  readonly maxBatchBytes: number;
  /** How long the runner counts as connected after its last connection, and before its first. */
  readonly lingerMs: number;
  readonly clock: Clock;
  /** Hears that there is something to flush. */
  readonly onDue: () => void;
}

/** How long a runner may take to answer whether it is there. */
export const PROBE_MS = 3_000;

/** The connection under a link, and who waits for one. */
interface Berth {
  current: LinkConnection | undefined;
  leftAt: number;
  readonly awaiting: (() => void)[];
}

function waitFor(berth: Berth, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const stop = clock.after(PROBE_MS, () => resolve(false));
    berth.awaiting.push(() => {
      stop();
      resolve(true);
    });
  });
}

/** Gives the place to a connection, and tells who waits for one. */
function moor(berth: Berth, connection: LinkConnection): void {
  const before = berth.current;
  berth.current = connection;
  for (const back of berth.awaiting.splice(0)) back();
  before?.close(CLOSE_CODES.replaced, 'Another connection of this runner took its place.');
}

/** Says why, where that can be said, and closes. */
function turnAway({ current }: Berth, error: ErrorEnvelope): void {
  current?.refuse?.(error);
  current?.close(CLOSE_CODES.refused, error.code);
}

/** Sends what may go now; true where some of it has to wait. */
function send(waiting: WaitingFrames, berth: Berth): boolean {
  while (berth.current !== undefined && waiting.some()) {
    const out = waiting.take(berth.current.room());
    if (out === undefined) break;
    berth.current.send(out);
  }
  return waiting.some();
}

export function createSessionLink(options: SessionLinkOptions): SessionLink {
  const { maxBatchBytes, lingerMs, clock } = options;
  const waiting = createWaitingFrames(maxBatchBytes, options.onDue);
  const berth: Berth = { current: undefined, leftAt: -Infinity, awaiting: [] };
  const isConnected = (): boolean => berth.current !== undefined || clock.now() - berth.leftAt <= lingerMs;
  const flush = (): boolean => send(waiting, berth);
  const tell = (key: string, directive: Directive): void => {
    waiting.direct(key, directive);
    flush();
  };

  return {
    canReattach: true,
    confirmsAccepts: true,
    isConnected,
    hasRoom: () => berth.current !== undefined && berth.current.room() > waiting.offers(),
    dispatch: waiting.offer,
    flush,
    cancel: (executionId, { reason }) => tell(executionId, { kind: 'cancel', executionId, reason }),
    // One connection carries all executions: none is broken for one of them.
    interrupt: () => undefined,
    forget: waiting.withdraw,
    async probe() {
      if (!isConnected()) return undefined;
      return (await (berth.current?.probe() ?? waitFor(berth, clock))) ? 'alive' : undefined;
    },
    connection: () => berth.current,
    comesBack: () => waitFor(berth, clock),
    expect: () => void (berth.leftAt = clock.now()),
    attach(connection) {
      if (berth.current === connection) return;
      waiting.dropAnswers();
      moor(berth, connection);
    },
    detach(connection) {
      if (berth.current !== connection) return false;
      Object.assign(berth, { current: undefined, leftAt: clock.now() });
      waiting.dropAnswers();
      return true;
    },
    instruct: (directive) => tell(directive.kind, directive),
    confirm: waiting.confirm,
    acknowledge: (executionId, seq) => waiting.acknowledge(executionId, seq),
    deny: (executionId, code) => waiting.acknowledge(executionId, 0, code),
    refuse: (error) => turnAway(berth, error),
    dismiss(afterMs) {
      tell('reconnect', { kind: 'reconnect', afterMs });
      berth.current?.close(1001, 'JobForge is shutting down.');
    },
    close() {
      waiting.clear();
      const before = berth.current;
      berth.current = undefined;
      before?.close(1000, 'The runner has left.');
    },
  };
}
