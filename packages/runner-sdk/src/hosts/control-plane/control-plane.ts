import { createFileReceiver } from '../../transport/file-receiver.js';
import { createFileSender } from '../../transport/file-sender.js';
import { createHttpClient } from '../../transport/http-client.js';
import type { CredentialSource } from '../credential-source.js';
import type { Host, HostedRunner, HostSession } from '../host.js';
import { onStopped } from '../session-state.js';
import { fileNameOf } from '../state-files.js';
import { createAnnouncingRun } from './announcing-run.js';
import { createAutoLine } from './auto-line.js';
import { createControlPlaneClient, type ControlPlaneClient } from './client.js';
import { createCredentials, type Credentials } from './credentials.js';
import type { Line } from './dial-in.js';
import { createDispatchCheck, type DispatchCheck } from './dispatch-check.js';
import { createFileCarrier } from './file-carrier.js';
import { createHttpLine } from './http-line.js';
import { createLongPollLine } from './long-poll-line.js';
import { createOfferedExecutions, type OfferedExecutions } from './offered-executions.js';
import { openRunnerOutbox } from '../outbox.js';
import { KeptEvents, type EventOutbox } from './kept-events.js';
import { createSessionCore, sessionReasons, type SessionCore } from './session-core.js';
import { createWebSocketLine } from './websocket-line.js';

/**
 * How work reaches a runner.
 *
 * - `push` the control plane sends it to the runner's own endpoints, which it must be able to reach
 * - `websocket` the runner dials in and keeps the connection
 * - `long-poll` the runner asks for it, again and again
 * - `auto` the WebSocket, and polls where something on the way blocks it
 */
export type DeliveryKind = 'push' | 'websocket' | 'long-poll' | 'auto';

/** What a control plane of this project's own kind is reached by. */
export interface ControlPlaneOptions {
  /** Default: the runner's `controlPlaneUrl`. */
  readonly url?: string | undefined;
  /** Default: the runner's `credential`. */
  readonly credential?: CredentialSource | undefined;
  /** Default: `push`. At most one host of a runner may deliver by push. */
  readonly delivery?: DeliveryKind | undefined;
}

/** Milliseconds for one request, its answer included. */
const REQUEST_MS = 10_000;
const NO_WIRE = { accept: () => undefined, events: () => undefined };

interface Parts {
  readonly core: SessionCore;
  readonly client: ControlPlaneClient;
  readonly credentials: Credentials;
  readonly check: DispatchCheck;
  readonly isReachable: () => Promise<boolean>;
}

function joinParts(runner: HostedRunner, url: string, options: ControlPlaneOptions): Parts {
  const { logger, clock, state } = runner;
  const core = createSessionCore(runner, url);
  const http = createHttpClient({ baseUrl: url, timeoutMs: REQUEST_MS, fetch: runner.fetch });
  const credentials = createCredentials({
    source: options.credential ?? runner.defaults.credential,
    controlPlaneUrl: url,
    state,
    clock,
    onProblem: (message) => logger.warn(message),
  });
  core.authorization = credentials.current;
  return {
    core,
    credentials,
    check: createDispatchCheck(clock),
    client: createControlPlaneClient(
      {
        http,
        sendFile: createFileSender(url, runner.fetch),
        receiveFile: createFileReceiver(url, runner.fetch),
      },
      credentials,
    ),
    isReachable: () =>
      http('livez', { method: 'GET' }).then(
        ({ ok }) => ok,
        () => false,
      ),
  };
}

function pushLine({ core, client, credentials, check }: Parts): Line {
  const { runner } = core;
  const line = createHttpLine({
    onRegistered: ({ signingKey }) => check.setKey(signingKey),
    core,
    client,
    credentials,
    describe: () => ({
      ...runner.describe(),
      features: [...(runner.describe().features ?? []), 'signed'],
      healthCheckEndpoint: `${runner.url()}/health`,
      delivery: { kind: 'push', executeUrl: `${runner.url()}/execute` },
    }),
  });
  // Work is pushed over connections of the other side: there is none to be made anew.
  return { ...line, delivery: 'push', reconnect: () => undefined };
}

function dialInLine(kind: Exclude<DeliveryKind, 'push'>, parts: Parts, offers: OfferedExecutions): Line {
  const options = { ...parts, offers };
  if (kind === 'auto') return createAutoLine(options);
  return kind === 'websocket' ? createWebSocketLine(options) : createLongPollLine(options);
}

/** What makes a session of a line: the line is made when the session starts, once its outbox has been read. */
interface Started {
  readonly line: Line;
  readonly offers: OfferedExecutions | undefined;
  readonly outbox: EventOutbox | undefined;
}

async function startLine(kind: DeliveryKind, parts: Parts): Promise<Started> {
  if (kind === 'push') return { line: pushLine(parts), offers: undefined, outbox: undefined };
  const { core } = parts;
  const outbox = await openRunnerOutbox(core.runner, fileNameOf(core.controlPlaneUrl), KeptEvents);
  const offers = createOfferedExecutions(core.runner, outbox, NO_WIRE);
  offers.files = createFileCarrier({
    runner: parts.core.runner,
    client: parts.client,
    limits: () => parts.core.limits,
    leaseTokenOf: ({ executionId }) => offers.leaseTokenOf(executionId),
  });
  const line = dialInLine(kind, parts, offers);
  if (line.wire) offers.wire = line.wire;
  return { line, offers, outbox };
}

function attach(runner: HostedRunner, options: ControlPlaneOptions): HostSession {
  const kind = options.delivery ?? 'push';
  const parts = joinParts(runner, options.url ?? runner.defaults.controlPlaneUrl, options);
  const { core } = parts;
  let started: Started | undefined;
  let starting: Promise<void> | undefined;
  let isLeaving = false;
  const left = new AbortController();
  const push = {
    run: createAnnouncingRun({ runner, client: parts.client, limits: () => core.limits }, left.signal),
    verify: parts.check.verify,
  };

  async function begin(): Promise<void> {
    started = await startLine(kind, parts);
    core.actions = started.line;
    if (!isLeaving) started.line.start();
  }

  return {
    get status() {
      const { state, runnerId, refusal, missed } = core;
      const delivery = started?.line.delivery ?? kind;
      const unacknowledged = started?.offers?.unacknowledged() ?? 0;
      return { state, runnerId, delivery, refusal, missed, unacknowledged };
    },
    start: () => void (starting ??= begin()),
    ready: core.registration.promise,
    reasons: () => sessionReasons(core),
    async announceDrain() {
      await starting;
      await started?.line.announceDrain();
    },
    async leave(reason) {
      isLeaving = true;
      await starting;
      onStopped(core);
      await started?.line.leave(reason);
      await started?.outbox?.flush();
      await parts.credentials.flush();
      left.abort();
    },
    ...(kind === 'push' ? { push } : {}),
  };
}

/**
 * Makes this project's own control plane a host of a runner. A runner that is told no `hosts` has one, made from
 * its options and the environment.
 * @param options - where it is and how work comes from it; what is left out is the runner's
 */
export function controlPlane(options: ControlPlaneOptions = {}): Host {
  return {
    name: 'controlplane',
    listens: (options.delivery ?? 'push') === 'push',
    attach: (runner) => attach(runner, options),
  };
}
