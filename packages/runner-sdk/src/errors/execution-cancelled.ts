import type { CancelReason } from '@controlplane/contracts';

const BRAND = Symbol.for('controlplane.ExecutionCancelled');

const MESSAGES: Record<CancelReason, string> = {
  user: 'the execution was cancelled',
  deadline: 'the execution ran into its time limit',
  shutdown: 'the runner is shutting down and the time to finish is over',
  'lease-lost': 'the execution was given to another runner; its result will be dropped',
};

/**
 * The reason of an aborted `ctx.signal`. Its `kind` says why: `user`, `deadline`, `shutdown` or `lease-lost`.
 * What a handler throws after the abort does not change the outcome. Recognise it with {@link isExecutionCancelled}.
 */
export class ExecutionCancelled extends Error {
  override readonly name = 'ExecutionCancelled';
  readonly kind: CancelReason;

  constructor(kind: CancelReason, message: string = MESSAGES[kind]) {
    super(message);
    this.kind = kind;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * Whether a value is an {@link ExecutionCancelled}, also of another copy of this package.
 * @param value - a signal's reason, or anything that was thrown
 * @param kind - when given, whether it is one of this kind
 */
export function isExecutionCancelled(value: unknown, kind?: CancelReason): value is ExecutionCancelled {
  if (typeof value !== 'object' || value === null || !Reflect.has(value, BRAND)) return false;
  return kind === undefined || (value as ExecutionCancelled).kind === kind;
}
