import { hostname } from 'node:os';
import { AUTOMN_PATHS } from '@controlplane/contracts/automn';
import { listenHttp, type HttpListener } from '../../transport/http-listener.js';
import { replyJson } from '../../transport/http-reply.js';
import { createHttpRoutes } from '../../transport/http-routes.js';
import { sayThrown } from '../../util/safe-json.js';
import { within } from '../../util/within.js';
import type { HostedRunner, HostSession } from '../host.js';
import {
  createSessionState,
  FAREWELL_MS,
  onRefused,
  onStopped,
  type SessionState,
} from '../session-state.js';
import { createHeartbeat, type Heartbeat } from './heartbeat.js';
import { createKeptState } from './kept-state.js';
import { operatorRoutes, routesWith } from './operator-routes.js';
import { endpointOf, type ResolvedAutomnOptions } from './options.js';
import { createRegistration } from './registration.js';
import { createRunRoute } from './run-route.js';
import { createSecrets } from './secrets.js';
import { scriptLineOf, type ScriptLine } from './to-request.js';

interface State {
  readonly session: SessionState;
  readonly options: ResolvedAutomnOptions;
  readonly line: ScriptLine;
  /** Ends the registration, and with it what keeps the control plane sending. */
  readonly leaving: AbortController;
  listener: HttpListener | undefined;
  /** Everything that was begun. */
  begun: Promise<void>;
}

/** Where the runner is reached by those who see it as it sees itself. */
function originOf({ listener, options: { host, port } }: State): string {
  const isAny = host === '0.0.0.0' || host === '::';
  const name = isAny ? hostname() : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${listener?.port ?? port}`;
}

async function listen(state: State, middleware: ReturnType<typeof createHttpRoutes>): Promise<HttpListener> {
  const { session, options } = state;
  const { logger } = session.runner;
  return listenHttp({
    host: options.host,
    port: options.port,
    onRequest(request, response) {
      middleware(request, response, (error) => {
        request.resume();
        const isFailure = error !== undefined && error !== null;
        if (isFailure) logger.error({ reason: sayThrown(error) }, 'a request could not be answered');
        const said = isFailure ? 'Runner internal error' : 'nothing is served there';
        replyJson(response, isFailure ? 500 : 404, JSON.stringify({ error: said }));
      });
    },
    onError: (error) => logger.error({ reason: error.message }, 'a connection could not be accepted'),
    onMalformed: (error) => ({
      status: '400 Bad Request',
      json: JSON.stringify({ error: `no HTTP request: ${error.code ?? 'unreadable'}` }),
    }),
  });
}

async function begin(state: State): Promise<void> {
  const { session, options, line, leaving } = state;
  const { runner } = session;
  const kept = createKeptState(runner, options);
  const before = await kept.read();
  const secrets = await createSecrets(options, before);
  const endpoint = (): string => endpointOf(options, originOf(state));
  const registration = createRegistration({ session, options, secrets, kept, before, endpoint });
  const heartbeat: Heartbeat = createHeartbeat({ session, options, registration, secrets });
  const jobs = createRunRoute({ runner, options, secrets, line });
  const routeOf = routesWith(runner);
  const operated = { runner, options, secrets, registration, heartbeat, endpoint };
  const routes = operatorRoutes(operated, routeOf);
  if (leaving.signal.aborted) return;
  const paths = [...new Set<string>([AUTOMN_PATHS.run, options.endpointPath])];
  const served = [...routes, ...paths.map((path) => routeOf('POST', path, jobs))];
  state.listener = await listen(state, createHttpRoutes(served));
  const { port } = state.listener;
  runner.logger.info({ endpoint: endpoint(), port }, 'listening for the jobs of Automn');
  if (!kept.isKept && secrets.source === 'state')
    runner.logger.warn(
      'a secret that is entered is not kept: set AUTOMN_RUNNER_STATE_DIR, or the runner’s state directory',
    );
  await heartbeat.run(leaving.signal);
}

/** What is in the way of listening at an address. */
const ADDRESS_ERRORS: ReadonlySet<unknown> = new Set(['EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES']);

function onFailure({ session, options }: State, error: unknown): void {
  const isOfAddress = error instanceof Error && 'code' in error && ADDRESS_ERRORS.has(error.code);
  const remedy = isOfAddress
    ? 'Set another port by AUTOMN_RUNNER_PORT, or end what has it.'
    : 'Mend what it says.';
  const where = `at ${options.host}:${options.port}`;
  const refusal = {
    code: 'INVALID_OPTION',
    message: sayThrown(error),
    remedy,
    retryAfterMs: undefined,
  } as const;
  onRefused(session, refusal, `the jobs of Automn cannot be taken ${where}`);
}

/**
 * Makes the session of one runner at one Automn.
 * @throws RunnerError `INVALID_OPTION` where the runner has no capability for scripts
 */
export function attachAutomn(runner: HostedRunner, options: ResolvedAutomnOptions): HostSession {
  const session = createSessionState(runner, options.hostUrl);
  const state: State = {
    session,
    options,
    line: scriptLineOf(runner.manifest, options),
    leaving: new AbortController(),
    listener: undefined,
    begun: Promise.resolve(),
  };
  return {
    get status() {
      const { state: where, runnerId, refusal } = session;
      return { state: where, runnerId, refusal, delivery: 'push', unacknowledged: 0 };
    },
    start() {
      state.begun = begin(state).catch((error: unknown) => onFailure(state, error));
    },
    ready: session.registration.promise,
    reasons: () => (session.state === 'connected' ? [] : [`not registered with ${session.controlPlaneUrl}`]),
    // There is no word for it: another heartbeat would only make the runner look ready for longer.
    async announceDrain() {
      state.leaving.abort();
    },
    async leave() {
      state.leaving.abort();
      onStopped(session);
      await within(FAREWELL_MS, state.begun);
      await state.listener?.close(FAREWELL_MS);
    },
  };
}
