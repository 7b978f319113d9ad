import { isIsolated } from '../capability/isolated-handler.js';
import type { RunnerManifest } from '@controlplane/contracts';
import { RunnerError } from '../errors/runner-error.js';
import type { Execute } from '../execution/execute.js';
import type { RunnerOptions } from './runner-options.js';
import { publicUrlOf } from './public-url.js';
import { joinParts } from './runner-parts.js';
import type { RunnerRequestHandler } from './runner-request-handler.js';
import { listenForRunner } from './runner-server.js';
import type { RunnerState } from './runner-state.js';
import { createShutdown, type StopOptions } from './shutdown.js';
import { drainAndExit, handleSignals } from './signals.js';

/** The most milliseconds that a timer holds. */
const FOR_EVER_MS = 2_147_483_647;

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
   * Drains, deregisters and closes; called twice it does so once. What does not end in time is reported as
   * retryable `RUNNER_SHUTDOWN`.
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
// oxlint-disable-next-line max-lines-per-function -- the join: every part is named here once, and nowhere else
export function createRunner(options: RunnerOptions): Runner {
  const parts = joinParts(options);
  const {
    resolved,
    logger,
    manifest,
    state,
    address,
    executor,
    sessions,
    router,
    observation,
    batch,
    isolation,
  } = parts;
  const releases: Array<() => Promise<void> | void> = [];
  const shutdown = createShutdown({ state, executor, sessions, logger, drainMs: resolved.drainMs, releases });
  const isMounted = resolved.mountAt !== undefined;
  const ownsProcess = options.handleSignals ?? !isMounted;
  let starting: Promise<Runner> | undefined;

  const stopped = (): RunnerError =>
    new RunnerError('STOPPED', `the runner "${manifest.name}" was stopped; make a new one`);

  /** What ends the process where it is the runner's own. */
  const exitWith = (code: number, stopOptions: StopOptions): void => {
    if (!ownsProcess) return void shutdown.stop(stopOptions);
    drainAndExit({ drain: () => shutdown.stop(stopOptions), abort: executor.abort, logger }, code);
  };
  address.drain = (reason) => exitWith(0, { reason });
  address.over = ({ reason, isPatient }) =>
    exitWith(0, { reason, ...(isPatient ? { drainMs: FOR_EVER_MS } : {}) });
  address.refused = () => {
    if (!ownsProcess) return;
    // Not at once ended: another part of the program may go on without a runner.
    process.exitCode = sessions.statuses().find(({ refusal }) => refusal)?.refusal?.exitCode ?? 1;
    void shutdown.stop({ reason: 'refused' });
  };

  async function listen(): Promise<void> {
    if (!isMounted && !sessions.listens && !resolved.isPortGiven) return;
    if (isMounted) {
      address.url = publicUrlOf(resolved, resolved.port);
      return;
    }
    const listener = await listenForRunner({ ...parts, service: manifest.name });
    if (state.current !== 'created') {
      await listener.close(0);
      throw stopped();
    }
    releases.push(() => listener.close(1_000));
    address.url = publicUrlOf(resolved, listener.port);
  }

  async function begin(): Promise<Runner> {
    if (state.current !== 'created') throw stopped();
    releases.push(isolation.close);
    const warm = isolation.start();
    if (warm) await warm;
    // Read anew: it may have been stopped meanwhile.
    if (parts.state.current !== 'created') throw stopped();
    await listen();
    if (ownsProcess) {
      const drain = (): Promise<void> => shutdown.stop({ reason: 'signal' });
      releases.push(handleSignals({ drain, abort: executor.abort, logger }));
    }
    const offered = manifest.capabilities.map(({ id, version }) => `${id}@${version}`);
    logger.info({ url: address.url, capabilities: offered }, 'started');
    if (resolved.isKilledEarly) {
      logger.warn(
        { drainMs: resolved.drainMs },
        'Kubernetes ends a pod 30 s after SIGTERM unless terminationGracePeriodSeconds says otherwise: this drain may be cut off',
      );
    }
    observation.start();
    batch.start();
    releases.push(observation.stop, batch.stop);
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
    start: () =>
      (starting ??= (isIsolated() ? NEVER : begin()).catch((error: unknown) => {
        // A port may be free the next time.
        starting = undefined;
        throw error;
      })),
    ready: ({ signal } = {}) => waitUnlessAborted(sessions.ready, signal),
    async stop(stopOptions) {
      await shutdown.stop(stopOptions);
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
