import { RunnerError } from '../../errors/runner-error.js';
import { createHttpClient } from '../../transport/http-client.js';
import type { CredentialSource } from '../credential-source.js';
import type { Host, HostedRunner, HostSession } from '../host.js';
import { createControlPlaneClient } from './client.js';
import { createHttpLine } from './http-line.js';
import { createSessionCore, sessionReasons } from './session-core.js';

/** What a control plane of this project's own kind is reached by. */
export interface ControlPlaneOptions {
  /** Default: the runner's `controlPlaneUrl`. */
  readonly url?: string | undefined;
  /** Default: the runner's `credential`. */
  readonly credential?: CredentialSource | undefined;
  /** Default: `push`. */
  readonly delivery?: 'push' | undefined;
}

/** Milliseconds for one request, its answer included. */
const REQUEST_MS = 10_000;

function attachPush(runner: HostedRunner, url: string): HostSession {
  const core = createSessionCore(runner, url);
  const http = createHttpClient({ baseUrl: url, timeoutMs: REQUEST_MS, fetch: runner.fetch });
  const line = createHttpLine({
    core,
    client: createControlPlaneClient(http),
    describe: () => ({
      ...runner.describe(),
      healthCheckEndpoint: `${runner.url()}/health`,
      delivery: { kind: 'push', executeUrl: `${runner.url()}/execute` },
    }),
  });
  // Work is pushed over connections of the other side: there is none to make anew.
  core.actions = { renew: line.renew, reconnect: () => undefined };
  return {
    get status() {
      return { state: core.state, runnerId: core.runnerId, delivery: 'push', unacknowledged: 0 };
    },
    start: line.start,
    ready: core.registration.promise,
    reasons: () => sessionReasons(core),
    announceDrain: line.announceDrain,
    async leave(reason) {
      core.registration.reject(new RunnerError('STOPPED', 'the runner was stopped before it was registered'));
      await line.leave(reason);
    },
    push: { run: runner.run },
  };
}

/**
 * Makes this project's own control plane a host of a runner. A runner that is told no `hosts` has one, made from
 * its options and the environment.
 */
export function controlPlane(options: ControlPlaneOptions = {}): Host {
  return {
    name: 'controlplane',
    listens: true,
    attach: (runner) => attachPush(runner, options.url ?? runner.defaults.controlPlaneUrl),
  };
}
