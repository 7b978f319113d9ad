/**
 * @module
 * Running a handler in a thread or process of its own: how one is started and ended, a pool of warm ones, and the
 * call that carries context and result across. What runs on the other side is capability/isolated-handler.ts.
 * Imports capability, errors and util.
 */
import type { FromIsolated, ToIsolated } from '../../capability/isolation-messages.js';

/** A thread or process that runs one capability, one execution at a time. */
export interface Child {
  send(message: ToIsolated): void;
  /** Ends it at once, by force, with everything that it started. Resolves when it is gone. */
  kill(): Promise<void>;
  /** Whether it keeps this process alive. */
  hold(isHeld: boolean): void;
  /** Hears what it says; one listener at a time. */
  listener: ChildListener | undefined;
  readonly isGone: boolean;
}

/** Hears one child. */
export interface ChildListener {
  said(message: FromIsolated): void;
  /** What came through a pipe rather than as a message: from programs that the handler started. */
  wrote(stream: 'stdout' | 'stderr', chunk: Uint8Array): void;
  /** It is gone. */
  gone(why: string): void;
}

/** Starts a child; it is usable once it said `ready`. */
export type StartChild = () => Child;
