import type { TerminalEvent } from '@controlplane/contracts';
import type { ExecutionRequest } from './execute.js';
import type { RunningExecution } from './running-executions.js';

/** Sees executions come and go. It must be quick and must not throw: it stands in the way of every execution. */
export interface ExecutionObserver {
  /** It holds a slot from now on; its handler has not started. */
  readonly started: (execution: RunningExecution) => void;
  /** It was claimed, and is this runner's from now on. Not called for what needs no claim. */
  readonly confirmed?: ((execution: RunningExecution) => void) | undefined;
  /** Its slot is free. Without an event it turned out not to be this runner's, and nobody was told of it. */
  readonly ended: (execution: RunningExecution, event: TerminalEvent | undefined) => void;
  /** It was not admitted. */
  readonly refused?: ((request: ExecutionRequest, event: TerminalEvent) => void) | undefined;
  /** Calls the handler and passes on what it returns or throws. */
  readonly around?: ((execution: RunningExecution, call: () => unknown) => unknown) | undefined;
}

/** Makes one observer of several; each is told in their order, and the first stands outermost around the handler. */
export function combineObservers(observers: readonly ExecutionObserver[]): ExecutionObserver {
  const arounds = observers.flatMap(({ around }) => around ?? []);
  return {
    started: (execution) => {
      for (const observer of observers) observer.started(execution);
    },
    confirmed: (execution) => {
      for (const observer of observers) observer.confirmed?.(execution);
    },
    ended: (execution, event) => {
      for (const observer of observers) observer.ended(execution, event);
    },
    refused: (request, event) => {
      for (const observer of observers) observer.refused?.(request, event);
    },
    around:
      arounds.length === 0
        ? undefined
        : (execution, call) =>
            arounds.reduceRight<() => unknown>((inner, around) => () => around(execution, inner), call)(),
  };
}
