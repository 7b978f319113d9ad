/**
 * @module
 * The contract test kit at the control planes of other kinds. What the kit judges is a bridge that serves its requests:
 * each is given to a runner of ours as an order of such a control plane, and what that hears of it is the answer. The
 * bridge adds nothing of its own to either: no check, no clock, no memory.
 */

/** One execution of the kit, as an order that a control plane of another kind gives. */
export interface Order {
  /** In the place where the protocol has an id. */
  readonly id: string;
  /** In the place where it has a command, a script or a prompt. */
  readonly text: string;
  readonly timeoutMs: number;
  /** Values that are secret, for protocols that have a place for them. */
  readonly secrets: readonly string[];
}

/** What a control plane hears of an order, in the words that all of them have in common. */
export type Heard =
  /** The runner has it. */
  | { readonly type: 'begun' }
  /** Said beside the result: whole lines. */
  | { readonly type: 'said'; readonly text: string }
  /** `tookMs`: how long it took, where the protocol has a place for that. */
  | { readonly type: 'succeeded'; readonly output: string; readonly tookMs: number | undefined }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'cancelled' };

/** A control plane of another kind. */
export interface ForeignPlane {
  /** Where a runner finds it. */
  readonly url: string;
  /** Whether an order finds a runner. */
  isServed(): boolean;
  /** Gives an order; what is heard of it ends with a success, a failure or a cancellation. */
  give(order: Order, hear: (heard: Heard) => void): void;
  /** Tells the runner that an order is not wanted any more, in whatever way there is. */
  cancel(id: string): void;
  /** Everything that runners say, as text. */
  watch(see: (said: string) => void): void;
}

/** Makes a failure of a text that begins with a code of ours, as hosts write what their protocol has no word for. */
export function failureOf(text: string): Heard {
  const [, code = 'NO_CODE', message = text] = /^([A-Z][A-Z0-9_]+): ([^]*)$/.exec(text) ?? [];
  return { type: 'failed', code, message };
}

/** What protocols that count in seconds are told of a time in milliseconds: not less than was meant. */
export const inSeconds = (ms: number): number => Math.ceil(ms / 1_000);
