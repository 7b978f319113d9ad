import type { RunnerParts } from './runner-parts.js';
import { createShutdown, type EndOptions, type StopOptions } from './shutdown.js';
import { drainAndExit, handleSignals, insistOnExitCode } from './signals.js';

/** Every way in which a runner comes to its end. */
export interface RunnerEnding {
  readonly stop: (options?: StopOptions) => Promise<void>;
  /** What was started, in order: it is released in reverse. */
  readonly releases: Array<() => Promise<void> | void>;
  /** Follows the signals from now on, where the process is the runner's own. */
  readonly followSignals: () => void;
}

/**
 * Joins a runner's parts with the ways in which it ends: a stop, a signal, a control plane that asks for a drain or
 * refuses it for good, a limit of its batch mode.
 * @param ownsProcess - whether the process ends with the runner
 */
export function createRunnerEnding(parts: RunnerParts, ownsProcess: boolean): RunnerEnding {
  const { resolved, address, executor, logger, sessions, state } = parts;
  const releases: RunnerEnding['releases'] = [];
  const { stop } = createShutdown({ state, executor, sessions, logger, drainMs: resolved.drainMs, releases });

  const exitWith = (code: number, options: EndOptions): void => {
    if (!ownsProcess) return void stop(options);
    drainAndExit({ drain: () => stop(options), abort: executor.abort, logger }, code);
  };
  address.drain = (reason) => exitWith(0, { reason });
  address.over = (end) => exitWith(0, end);
  address.refused = () => {
    if (!ownsProcess) return;
    const code = sessions.statuses().find(({ refusal }) => refusal)?.refusal?.exitCode ?? 1;
    insistOnExitCode(code);
    exitWith(code, { reason: 'refused' });
  };
  return {
    stop,
    releases,
    followSignals() {
      if (!ownsProcess) return;
      const drain = (): Promise<void> => stop({ reason: 'signal' });
      releases.push(handleSignals({ drain, abort: executor.abort, logger }));
    },
  };
}
