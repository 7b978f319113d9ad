import type { IncomingMessage, ServerResponse } from 'node:http';
import { AUTOMN_PATHS, AutomnReset, type AutomnStatus } from '@controlplane/contracts/automn';
import { replyJson } from '../../transport/http-reply.js';
import type { HttpRoute } from '../../transport/http-routes.js';
import { readBody } from '../../transport/read-body.js';
import { sayThrown } from '../../util/safe-json.js';
import { readSource } from '../credential-source.js';
import type { HostedRunner } from '../host.js';
import type { Heartbeat, Outcome } from './heartbeat.js';
import { isSame } from './kept-state.js';
import {
  createPageGuard,
  mayEnter,
  operatorPage,
  PAGE_HEADERS,
  type Notice,
  type PageGuard,
} from './operator-page.js';
import type { ResolvedAutomnOptions } from './options.js';
import type { Registration } from './registration.js';
import { problemOf, type Secrets } from './secrets.js';
import { createShared } from './shared-asking.js';

/** A secret and a token: nothing longer is read. */
const MAX_FORM_BYTES = 16 * 1024;

/** What the endpoints for operators look at and act upon. */
export interface OperatorParts {
  readonly runner: HostedRunner;
  readonly options: ResolvedAutomnOptions;
  readonly secrets: Secrets;
  readonly registration: Registration;
  readonly heartbeat: Heartbeat;
  readonly endpoint: () => string;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Makes a route of a handler that may fail. */
export type MakeRoute = (method: HttpRoute['method'], path: string, handler: Handler) => HttpRoute;

/** Makes what makes routes; why one failed is for the log alone, since anybody may have asked. */
export const routesWith =
  ({ logger }: Pick<HostedRunner, 'logger'>): MakeRoute =>
  (method, path, handler) => ({
    method,
    path,
    handle(request, response) {
      handler(request, response).catch((error: unknown) => {
        logger.error({ path, reason: sayThrown(error) }, 'a request of Automn or of an operator failed');
        replyJson(response, 500, JSON.stringify({ error: 'Runner internal error' }));
      });
    },
    refuse(request, response) {
      request.resume();
      response.setHeader('allow', method === 'GET' ? 'GET, HEAD' : method);
      replyJson(response, 405, JSON.stringify({ error: `${path} is served with ${method}` }));
    },
  });

/** The text of a body; undefined when there is none to be had, which is answered. */
export function bodyOf(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    readBody(request, maxBytes, (body) => {
      if (body.text !== undefined) return resolve(body.text);
      if (body.problem === 'too-large')
        replyJson(response, 413, JSON.stringify({ error: `the body is larger than ${maxBytes} bytes` }));
      resolve(undefined);
    });
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function replyPage(response: ServerResponse, status: number, html: string): void {
  response.writeHead(status, { ...PAGE_HEADERS, 'content-length': Buffer.byteLength(html) });
  response.end(html);
}

const noticeOf = ({ ok, error = '' }: Outcome): Notice => ({ ok, text: ok ? 'Registered.' : error });

const statusOf = ({ options, secrets, registration, endpoint }: OperatorParts): AutomnStatus => ({
  runner: registration.state(),
  config: {
    endpointUrl: endpoint(),
    hostUrl: options.hostUrl,
    runnerId: options.runnerId,
    heartbeatInterval: options.heartbeatMs,
    scriptsDir: options.scriptsDir,
    workdirDir: options.workdirDir,
    secretManagedByEnv: secrets.source === 'env',
  },
});

/** Answers a request that is not for a name of this machine. */
const addressed =
  (guard: PageGuard, handler: Handler): Handler =>
  async (request, response) => {
    if (guard.isAddressed(request)) return handler(request, response);
    request.resume();
    const error =
      'this runner is not known by that name: open it by its address, or by the name of its endpoint';
    replyJson(response, 421, JSON.stringify({ error }));
  };

type Page = (response: ServerResponse, code: number, notice?: Notice) => void;

/** What the forms of the page do. */
function formHandlers({ secrets, registration, heartbeat }: OperatorParts, guard: PageGuard, page: Page) {
  /** The fields of a form of the page; undefined where it is none, which is answered. */
  async function formOf(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<URLSearchParams | undefined> {
    const text = await bodyOf(request, response, MAX_FORM_BYTES);
    if (text === undefined) return undefined;
    const fields = new URLSearchParams(text);
    if (guard.isOwnForm(request, fields.get('csrf'))) return fields;
    page(response, 403, { ok: false, text: 'The form is out of date, or not of this page: send it again.' });
    return undefined;
  }
  const reregister: Handler = async (request, response) => {
    if (await formOf(request, response)) page(response, 200, noticeOf(await heartbeat.ask('manual')));
  };
  const register: Handler = async (request, response) => {
    const fields = await formOf(request, response);
    if (!fields) return;
    if (secrets.source === 'env')
      return page(response, 403, { ok: false, text: 'The secret is managed by the environment.' });
    if (!mayEnter(registration.state()))
      return page(response, 403, { ok: false, text: 'The runner is registered already.' });
    const secret = (fields.get('secret') ?? '').trim();
    const problem = problemOf(secret);
    if (problem !== undefined) return page(response, 400, { ok: false, text: problem });
    await secrets.offer(secret);
    page(response, 200, noticeOf(await heartbeat.ask('initial')));
  };
  return { reregister, register };
}

/** The endpoints for whoever looks after the runner: page, status, registration by hand, reset. */
export function operatorRoutes(parts: OperatorParts, routeOf: MakeRoute): HttpRoute[] {
  const guard = createPageGuard(parts.endpoint);
  const page: Page = (response, code, notice) =>
    replyPage(response, code, operatorPage(statusOf(parts), guard.csrf, notice));
  const forms = formHandlers(parts, guard, page);
  const askNow = createShared(parts.runner.clock, () => parts.heartbeat.ask('manual'));
  const reregister: Handler = async (request, response) => {
    if (guard.isOfBrowser(request))
      return page(response, 200, { ok: true, text: 'Press “Register again now” to register.' });
    page(response, 200, noticeOf(await askNow()));
  };
  const show: Handler = async (_, response) => page(response, 200);
  const status: Handler = async (_, response) => replyJson(response, 200, JSON.stringify(statusOf(parts)));
  const statusByName = addressed(guard, status);
  return [
    routeOf('GET', AUTOMN_PATHS.page, addressed(guard, show)),
    // What watches a fleet may know the runner by any name; it is a browser that can be led here by one.
    routeOf('GET', AUTOMN_PATHS.status, (request, response) =>
      (guard.isOfBrowser(request) ? statusByName : status)(request, response),
    ),
    bothWays(
      routeOf('GET', AUTOMN_PATHS.reregister, addressed(guard, reregister)),
      routeOf('POST', AUTOMN_PATHS.reregister, addressed(guard, forms.reregister)),
    ),
    routeOf('POST', AUTOMN_PATHS.register, addressed(guard, forms.register)),
    routeOf('POST', AUTOMN_PATHS.reset, createReset(parts)),
  ];
}

/** One path by GET and by POST. */
function bothWays(byGet: HttpRoute, byPost: HttpRoute): HttpRoute {
  return {
    ...byGet,
    refuse(request, response) {
      if (request.method === 'POST') return byPost.handle(request, response, {});
      byGet.refuse(request, response);
    },
  };
}

/** Gives the runner another secret, or takes the one that it has: for whoever knows the reset token. */
function createReset({ options, secrets, registration, heartbeat }: OperatorParts): Handler {
  return async (request, response) => {
    const reply = (status: number, body: object): void => replyJson(response, status, JSON.stringify(body));
    const text = await bodyOf(request, response, MAX_FORM_BYTES);
    if (text === undefined) return;
    const token = await readSource(options.resetToken, 'resetToken');
    if (!token) return reply(404, { error: 'Reset endpoint disabled' });
    const asked = AutomnReset.safeParse(parsed(text)).data;
    if (!asked || !isSame(asked.token.trim(), token)) return reply(403, { error: 'Invalid reset token' });
    const secret = asked.secret?.trim() ?? '';
    if (secret === '') {
      secrets.forget();
      await registration.unlock();
      // Jobs are refused from here on, which the runner's readiness has to say.
      await heartbeat.ask('secret-cleared');
      return reply(200, { reset: true, secretCleared: true, runner: registration.state() });
    }
    const problem = problemOf(secret);
    if (problem !== undefined) return reply(400, { error: problem });
    await secrets.offer(secret);
    await registration.unlock();
    const registrationResult = await heartbeat.ask('secret-rotation');
    reply(200, {
      reset: true,
      secretUpdated: registrationResult.ok,
      registration: registration.state(),
      registrationResult,
    });
  };
}
