import type { Logger } from '../util/logger.js';

/** What a signal leads to. */
export interface SignalActions {
  /** First signal: finish and leave. */
  drain(): Promise<void>;
  /** Second signal: end everything now. */
  readonly abort: () => void;
  readonly logger: Logger;
  /** Default: `process.exit`. */
  readonly exit?: (code: number) => void;
}

/** The runners of this process that a signal told to drain and that have not ended: it exits with the last of them. */
const draining = new Set<SignalActions>();
let worstCode = 0;

function endDrain(actions: SignalActions, code: number): void {
  // An abort came first, and says how the process ends.
  if (!draining.delete(actions)) return;
  worstCode = Math.max(worstCode, code);
  if (draining.size > 0) return;
  const { exit = (exitCode: number) => process.exit(exitCode) } = actions;
  const exitCode = worstCode;
  worstCode = 0;
  exit(exitCode);
}

function abortNow(actions: SignalActions): void {
  const { exit = (exitCode: number) => process.exit(exitCode) } = actions;
  draining.delete(actions);
  actions.abort();
  // Streams write the ends of their executions later in this turn of the event loop.
  setImmediate(exit, 1);
}

/**
 * Handles SIGTERM and SIGINT: the first drains and exits 0 once every runner of the process has drained, the second
 * ends what runs and exits 1.
 * @returns a function that takes the handlers away again
 */
export function handleSignals(actions: SignalActions): () => void {
  const { logger } = actions;
  let isDraining = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isDraining) {
      logger.warn({ signal }, 'second signal: ending what runs now');
      abortNow(actions);
      return;
    }
    isDraining = true;
    draining.add(actions);
    logger.info({ signal }, 'draining; a second signal ends what runs at once');
    actions.drain().then(
      () => endDrain(actions, 0),
      (error: unknown) => {
        logger.error({ err: error }, 'the drain failed');
        endDrain(actions, 1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return () => {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
  };
}
