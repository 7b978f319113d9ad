import type { RunnerManifest } from '@controlplane/contracts';
import { isIsolated } from '../capability/isolated-handler.js';
import type { Execute } from '../execution/execute.js';
import { createRunnerEnding } from './runner-ending.js';
import type { RunnerOptions } from './runner-options.js';
import { joinParts } from './runner-parts.js';
import type { RunnerRequestHandler } from './runner-request-handler.js';
import { startParts } from './runner-start.js';
import type { RunnerState } from './runner-state.js';
import type { StopOptions } from './shutdown.js';

/** Turns capabilities into something that a control plane can send work to. Made by {@link createRunner}. */
export interface Runner {
  readonly name: string;
  readonly state: RunnerState;
  /** URL by which the runner's endpoints are reached; undefined until it listens, and where it does not. */
  readonly url: string | undefined;
  /** The id that the control plane gave it; undefined until it is registered. */
  readonly runnerId: string | undefined;
  readonly manifest: RunnerManifest;
  /** Runs an execution in this process, through everything but the wire. */
  readonly execute: Execute;
  /**
   * Listens (unless mounted) and starts to register. Resolves when the runner can be reached, registered or not.
   * @throws RunnerError `LISTEN_FAILED` when the port or address cannot be had (it may be tried again), `STOPPED` after a stop
   */
  start(): Promise<Runner>;
  /**
   * Resolves when the runner is registered.
   * @param options - `signal` ends the wait, not the registration
   * @throws RunnerError `REGISTRATION_REFUSED` when the control plane refuses it for good, `STOPPED` when it is stopped first
   */
  ready(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Drains, deregisters and closes; called twice it does so once, within the time that ends first. What does not end
   * in time is reported as retryable `RUNNER_SHUTDOWN`.
   */
  stop(options?: StopOptions): Promise<void>;
  /** The endpoints as a router for an application of yours: `app.use('/runner', runner.router())`. */
  router(): RunnerRequestHandler;
}

/** A program that is loaded once more to run one capability in isolation must not become a second runner. */
const NEVER = new Promise<never>(() => undefined);

/**
 * Makes a runner.
 * @param options - name, version and capabilities; everything else has a default or comes from the environment
 * @returns the runner, not started
 * @throws RunnerError `INVALID_OPTION` or `INVALID_CAPABILITY`
 */
export function createRunner(options: RunnerOptions): Runner {
  const parts = joinParts(options);
  const { manifest, state, address, executor, sessions, router } = parts;
  const ending = createRunnerEnding(parts, options.handleSignals ?? parts.resolved.mountAt === undefined);
  let starting: Promise<void> | undefined;

  const begin = (): Promise<void> =>
    (starting ??= (isIsolated() ? NEVER : startParts(parts, ending)).catch((error: unknown) => {
      // A port may be free the next time.
      starting = undefined;
      throw error;
    }));

  const runner: Runner = {
    name: manifest.name,
    manifest,
    execute: executor.execute,
    get state() {
      return state.current;
    },
    get url() {
      return address.url;
    },
    get runnerId() {
      return sessions.runnerId;
    },
    async start() {
      await begin();
      return runner;
    },
    ready: ({ signal } = {}) => waitUnlessAborted(sessions.ready, signal),
    async stop(stopOptions) {
      await ending.stop(stopOptions);
      // A server that came up meanwhile is closed again by who started it; how that ended is for its caller.
      await starting?.catch(() => undefined);
    },
    router: () => router,
  };
  return runner;
}

function waitUnlessAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
