import type { Claim, RunningExecution } from './running-executions.js';

/**
 * Starts the handler once the claim is confirmed, or forgets the execution.
 * @param forget - ends it without a word: it is not this runner's
 */
export function startWhenConfirmed(
  execution: RunningExecution,
  claim: Claim,
  forget: (execution: RunningExecution) => void,
): void {
  const { confirmed } = claim;
  const settle = (isConfirmed: boolean): void => {
    // A repeated offer has brought another promise in place of this one.
    if (claim.confirmed !== confirmed || execution.channel.terminal) return;
    if (!isConfirmed) return forget(execution);
    execution.claim = undefined;
    claim.start?.();
  };
  void confirmed.then(settle, () => settle(false));
}

/** A repeated offer of an execution that was never confirmed: from now on its promise counts. */
export function claimAgain(
  execution: RunningExecution,
  confirmed: Promise<boolean> | undefined,
  forget: (execution: RunningExecution) => void,
): void {
  const { claim } = execution;
  if (!claim || !confirmed) return;
  claim.confirmed = confirmed;
  if (claim.start) startWhenConfirmed(execution, claim, forget);
}
