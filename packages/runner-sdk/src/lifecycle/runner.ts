import type { RunnerManifest } from '@controlplane/contracts';
import { RunnerError } from '../errors/runner-error.js';
import type { Execute } from '../execution/execute.js';
import type { RunnerOptions } from './options.js';
import { publicUrlOf } from './public-url.js';
import { joinParts } from './runner-parts.js';
import type { RunnerRequestHandler } from './runner-request-handler.js';
import { listenForRunner } from './runner-server.js';
import type { RunnerState } from './runner-state.js';
import { createShutdown, type StopOptions } from './shutdown.js';
import { handleSignals } from './signals.js';

/** Turns capabilities into something that a control plane can send work to. Made by {@link createRunner}. */
export interface Runner {
  readonly name: string;
  readonly state: RunnerState;
  /** URL by which the control plane reaches the runner; undefined until it listens. */
  readonly url: string | undefined;
  /** The id that the control plane gave it; undefined until it is registered. */
  readonly runnerId: string | undefined;
  readonly manifest: RunnerManifest;
  /** Runs an execution in this process, through everything but the wire. */
  readonly execute: Execute;
  /**
   * Listens (unless mounted) and starts to register. Resolves when the runner can be reached, registered or not.
   * @throws RunnerError `LISTEN_FAILED` when the port or address cannot be had, `STOPPED` after a stop
   */
  start(): Promise<Runner>;
  /**
   * Resolves when the runner is registered.
   * @param options - `signal` ends the wait, not the registration
   * @throws RunnerError `REGISTRATION_REFUSED` when the control plane refuses it for good, `STOPPED` when it is stopped first
   */
  ready(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Drains, deregisters and closes; called twice it does so once. What does not end in time is reported as
   * retryable `RUNNER_SHUTDOWN`.
   */
  stop(options?: StopOptions): Promise<void>;
  /** The endpoints as a router for an application of yours: `app.use('/runner', runner.router())`. */
  router(): RunnerRequestHandler;
}

/**
 * Makes a runner.
 * @param options - name, version and capabilities; everything else has a default or comes from the environment
 * @returns the runner, not started
 * @throws RunnerError `INVALID_OPTION` or `INVALID_CAPABILITY`
 */
export function createRunner(options: RunnerOptions): Runner {
  const parts = joinParts(options);
  const { resolved, logger, manifest, state, address, executor, sessions, router, observation } = parts;
  const releases: Array<() => Promise<void> | void> = [];
  const shutdown = createShutdown({ state, executor, sessions, logger, drainMs: resolved.drainMs, releases });
  address.drain = (reason) => void shutdown.stop({ reason });
  const isMounted = resolved.mountAt !== undefined;
  let starting: Promise<Runner> | undefined;

  const stopped = (): RunnerError =>
    new RunnerError('STOPPED', `the runner "${manifest.name}" was stopped; make a new one`);

  async function begin(): Promise<Runner> {
    if (state.current !== 'created') throw stopped();
    let port = resolved.port;
    if (!isMounted) {
      const listener = await listenForRunner({ ...parts, service: manifest.name });
      if (state.current !== 'created') {
        await listener.close(0);
        throw stopped();
      }
      port = listener.port;
      releases.push(() => listener.close(1_000));
    }
    address.url = publicUrlOf(resolved, port);
    if (options.handleSignals ?? !isMounted) {
      releases.push(
        handleSignals({ drain: () => shutdown.stop({ reason: 'signal' }), abort: executor.abort, logger }),
      );
    }
    const offered = manifest.capabilities.map(({ id, version }) => `${id}@${version}`);
    logger.info({ url: address.url, capabilities: offered }, 'started');
    observation.start();
    releases.push(observation.stop);
    sessions.start();
    return runner;
  }

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
    start: () => (starting ??= begin()),
    ready: ({ signal } = {}) => waitUnlessAborted(sessions.ready, signal),
    async stop(stopOptions) {
      await shutdown.stop(stopOptions);
      // A server that came up meanwhile is closed again by who started it; how that ended is for its caller.
      await starting?.catch(() => undefined);
    },
    router: () => router as unknown as RunnerRequestHandler,
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
