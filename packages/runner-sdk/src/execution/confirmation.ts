import type { HandlerScope } from './handler-scope.js';
import type { Claim, RunningExecution } from './running-executions.js';

type Scope = Pick<HandlerScope, 'forget' | 'observer'>;

/** Starts the handler once the claim is confirmed, or forgets the execution: it is not this runner's. */
export function startWhenConfirmed(execution: RunningExecution, claim: Claim, scope: Scope): void {
  const { confirmed } = claim;
  const settle = (isConfirmed: boolean): void => {
    // A repeated offer has brought another promise in place of this one.
    if (claim.confirmed !== confirmed || execution.channel.terminal) return;
    if (!isConfirmed) return scope.forget(execution);
    execution.claim = undefined;
    scope.observer?.confirmed?.(execution);
    claim.start?.();
  };
  void confirmed.then(settle, () => settle(false));
}

/** A repeated offer of an execution that was never confirmed: from now on its promise counts. */
export function claimAgain(
  execution: RunningExecution,
  confirmed: Promise<boolean> | undefined,
  scope: Scope,
): void {
  const { claim } = execution;
  if (!claim || !confirmed) return;
  claim.confirmed = confirmed;
  if (claim.start) startWhenConfirmed(execution, claim, scope);
}
