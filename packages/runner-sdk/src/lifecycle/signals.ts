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

/** The runners of this process that are on their way out and have not ended: it exits with the last of them. */
const draining = new Set<SignalActions>();
/** Those that would be told of a signal: the process goes on for them when another one ends. */
const living = new Set<SignalActions>();
let worstCode = 0;

function endDrain(actions: SignalActions, code: number): void {
  // An abort came first, and says how the process ends.
  if (!draining.delete(actions)) return;
  living.delete(actions);
  worstCode = Math.max(worstCode, code);
  if (draining.size + living.size > 0) return;
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
 * Drains, and ends the process with a code once no runner of it is left.
 * @param code - what the process exits with, unless another of its runners says worse
 */
export function drainAndExit(actions: SignalActions, code: number): void {
  draining.add(actions);
  actions.drain().then(
    () => endDrain(actions, code),
    (error: unknown) => {
      actions.logger.error({ err: error }, 'the drain failed');
      endDrain(actions, Math.max(code, 1));
    },
  );
}

/** Keeps an exit code where the program dies of an error before: `ready()` rejects, and nobody may catch it. */
export function insistOnExitCode(code: number): void {
  process.exitCode = code;
  process.once('exit', (found) => {
    if (found === 1) process.exitCode = code;
  });
}

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Nobody reads any more what is printed: it must not end the process before it has drained. */
function outliveTerminal(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}

/**
 * Handles SIGTERM, SIGINT and SIGHUP: the first drains and exits 0 once every runner of the process has drained, the
 * second ends what runs and exits 1.
 * @returns a function that takes the handlers away again
 */
export function handleSignals(actions: SignalActions): () => void {
  const { logger } = actions;
  let isDraining = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGHUP') outliveTerminal();
    if (isDraining) {
      // A terminal that closes says so twice: the shell, and the system once that has ended.
      if (signal === 'SIGHUP') return;
      logger.warn({ signal }, 'second signal: ending what runs now');
      abortNow(actions);
      return;
    }
    isDraining = true;
    logger.info({ signal }, 'draining; a second signal ends what runs at once');
    drainAndExit(actions, 0);
  };
  living.add(actions);
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return () => {
    living.delete(actions);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}
