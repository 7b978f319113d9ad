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

/**
 * Handles SIGTERM and SIGINT: the first drains and exits 0, the second ends what runs and exits 1.
 * @returns a function that takes the handlers away again
 */
export function handleSignals(actions: SignalActions): () => void {
  const { logger, exit = (code: number) => process.exit(code) } = actions;
  let isDraining = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isDraining) {
      logger.warn({ signal }, 'second signal: ending what runs now');
      actions.abort();
      exit(1);
      return;
    }
    isDraining = true;
    logger.info({ signal }, 'draining; a second signal ends what runs at once');
    actions.drain().then(
      () => exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'the drain failed');
        exit(1);
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
