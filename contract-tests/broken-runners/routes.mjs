/** What the runner serves. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CAPABILITIES, SLOTS } from './capabilities.mjs';
import { cancel } from './cancel-route.mjs';
import { execute } from './execute-route.mjs';
import { refuse, sendJson } from './replies.mjs';

export const FEATURES = ['ndjson', 'batch', 'cancel', 'signed'];

let lastHealth = Promise.resolve();

/** A careless runner looks at everything anew for each who asks, one after the other. */
async function look(broken) {
  if (!broken('performance.answers-a-burst')) return;
  lastHealth = lastHealth.then(() => sleep(250));
  await lastHealth;
}

async function health(_request, response, { broken, state }) {
  await look(broken);
  if (broken('health.answers')) return sendJson(response, 200, { status: 'fine' });
  const status = broken('health.status-code-agrees') ? 'unhealthy' : 'healthy';
  const rest = {
    service: 'broken-runner',
    timestamp: broken('health.tells-the-time') ? '2020-01-01T00:00:00.000Z' : new Date().toISOString(),
    version: '1.0.0',
    uptime: broken('health.uptime-in-seconds') ? process.uptime() * 1_000 : process.uptime(),
    checks: [],
    ...(broken('security.keeps-credentials-out-of-replies') ? { session: state.session } : {}),
  };
  return sendJson(response, 200, broken('health.complete') ? { status } : { status, ...rest });
}

function manifest(_request, response, { broken }) {
  const version = broken('manifest.matches-registration') ? '9.9.9' : '1.0.0';
  const capabilities = CAPABILITIES.map((item) => ({ ...item, version }));
  const full = {
    name: 'broken-runner',
    version: '1.0.0',
    contractVersion: '1.0.0',
    capabilities,
    maxConcurrency: SLOTS,
    features: FEATURES,
  };
  return sendJson(response, 200, broken('manifest.valid-message') ? { name: full.name } : full);
}

/** Whether work may be sent; a careless runner leaves one of its reasons out. */
function isReady({ state, executions, broken }) {
  const { registered, receiving, stopping } = state;
  if (broken('health.ready-while-full') && executions.active() >= SLOTS) return false;
  if (!registered) return broken('health.not-ready-before-registration');
  if (!receiving) return broken('health.not-ready-while-not-receiving');
  return !stopping || broken('health.not-ready-while-draining');
}

const isLive = ({ state, broken }) => !(state.stopping && broken('health.live-while-draining'));

function probe(response, ok, { broken }) {
  if (broken('health.probes')) return refuse(response, 'ROUTE_NOT_FOUND', 'nothing here');
  return sendJson(response, ok ? 200 : 503, { ok, reasons: ok ? [] : ['not registered'] });
}

/** Answers a path that is served with another method. */
const wrongMethod =
  (allow, isBroken) =>
  (_request, response, { broken }) => {
    if (isBroken(broken)) return refuse(response, 'ROUTE_NOT_FOUND', 'nothing here');
    response.setHeader('allow', allow);
    return refuse(response, 'METHOD_NOT_ALLOWED', `${allow} only`);
  };

function notFound(request, response, { broken }) {
  if (!broken('errors.unknown-route'))
    return refuse(response, 'ROUTE_NOT_FOUND', `nothing at ${request.url}`);
  response.writeHead(404, { 'content-type': 'text/html' });
  return response.end('<h1>Not found</h1>');
}

const ROUTES = [
  [/^GET \/health$/, health],
  [/^GET \/livez$/, (_request, response, context) => probe(response, isLive(context), context)],
  [/^GET \/readyz$/, (_request, response, context) => probe(response, isReady(context), context)],
  [/^GET \/manifest$/, (...parts) => (parts[2].broken('manifest.served') ? notFound : manifest)(...parts)],
  [/^POST \/execute$/, execute],
  [/ \/execute$/, wrongMethod('POST', (broken) => broken('errors.wrong-method'))],
  [/ \/health$/, wrongMethod('GET', (broken) => broken('http.wrong-method-on-health'))],
  [/^POST \/executions\/[^/]+\/cancel$/, cancel],
];

export async function route(request, response, context) {
  const { broken } = context;
  const method = request.method === 'HEAD' && !broken('http.head-like-get') ? 'GET' : request.method;
  const path = broken('http.ignores-query') ? request.url : request.url.split('?')[0];
  const asked = `${method} ${path}`;
  const [, answer = notFound] = ROUTES.find(([pattern]) => pattern.test(asked)) ?? [];
  await answer(request, response, context);
}
