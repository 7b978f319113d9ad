/** What the runner serves. */
import { CAPABILITIES, SLOTS } from './capabilities.mjs';
import { cancel } from './cancel-route.mjs';
import { execute } from './execute-route.mjs';
import { refuse, sendJson } from './replies.mjs';

export const FEATURES = ['ndjson', 'batch', 'cancel', 'signed'];

function health(_request, response, { broken, state }) {
  if (broken('health.answers')) return sendJson(response, 200, { status: 'fine' });
  const status = broken('health.status-code-agrees') ? 'unhealthy' : 'healthy';
  const rest = {
    service: 'broken-runner',
    timestamp: new Date().toISOString(),
    version: '1.0.0',
    uptime: process.uptime(),
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
  [/^GET \/livez$/, (_request, response, context) => probe(response, true, context)],
  [/^GET \/readyz$/, (_request, response, context) => probe(response, context.state.registered, context)],
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
