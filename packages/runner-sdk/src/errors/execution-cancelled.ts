import type { CancelReason } from '@controlplane/contracts';

const MESSAGES: Record<CancelReason, string> = {
  user: 'the execution was cancelled',
  deadline: 'the execution ran into its time limit',
  shutdown: 'the runner is shutting down and the time to finish is over',
  'lease-lost': 'the execution was given to another runner; its result will be dropped',
};

/**
 * The reason of an aborted `ctx.signal`. Its `kind` says why: `user`, `deadline`, `shutdown` or `lease-lost`.
 * What a handler throws after the abort does not change the outcome.
 */
export class ExecutionCancelled extends Error {
  override readonly name = 'ExecutionCancelled';
  readonly kind: CancelReason;

  constructor(kind: CancelReason) {
    super(MESSAGES[kind]);
    this.kind = kind;
  }
}
