import { ENDPOINTS, type Endpoint, type EndpointName } from '@controlplane/contracts';
import { JobForgeError } from '../model/job-forge-error.js';
import { giveArtifact, takeArtifact } from './artifact-routes.js';
import { readJson } from './body-reader.js';
import { giveFile, takeFile, takeResult } from './file-routes.js';
import { streamJobEvents, type EventStreamOptions } from './event-stream.js';
import type { Answer, Call } from './call.js';
import { createHandlers } from './handlers.js';
import type { HttpMeters } from './http-meters.js';
import { answerJobLogs } from './job-logs.js';
import { sendJson } from './json-reply.js';
import { answerMetrics } from './metrics-route.js';
import { answerPoll } from './poll-route.js';
import { plainSubmission } from './plain-submission.js';
import { idOf, parseAs, parseBody, queryOf } from './request-parsing.js';
import { SERVED_NAMES, type Exchange, type JsonName, type Route } from './served-endpoints.js';
import { withTrace } from './trace-header.js';

export interface RoutesOptions extends EventStreamOptions {
  readonly meters: HttpMeters;
}

/** Every endpoint of the contract that JobForge serves, in the order of the table. */
export function createRoutes(options: RoutesOptions): Route[] {
  const { operations, meters } = options;
  const handlers = createHandlers(operations);
  return SERVED_NAMES.map((name) => {
    const { method, path } = ENDPOINTS[name];
    if (name === 'jobEvents')
      return { name, method, path, answer: (exchange) => streamJobEvents(exchange, options) };
    if (name === 'jobLogs')
      return { name, method, path, answer: (exchange) => answerJobLogs(exchange, operations) };
    if (name === 'putArtifact')
      return { name, method, path, answer: (exchange) => takeArtifact(exchange, operations) };
    if (name === 'getArtifact')
      return { name, method, path, answer: (exchange) => giveArtifact(exchange, operations) };
    if (name === 'putFile')
      return { name, method, path, answer: (exchange) => takeFile(exchange, operations) };
    if (name === 'putResult')
      return { name, method, path, answer: (exchange) => takeResult(exchange, operations) };
    if (name === 'getFile')
      return { name, method, path, answer: (exchange) => giveFile(exchange, operations) };
    if (name === 'metrics')
      return { name, method, path, answer: (exchange) => answerMetrics(exchange, { operations, meters }) };
    if (name === 'pollRunner')
      return { name, method, path, answer: (exchange) => answerPoll(exchange, operations) };
    if (name === 'connectRunner') return { name, method, path, answer: refuseWithoutUpgrade };
    const handle = handlers[name] as Handle;
    return { name, method, path, answer: (exchange) => answerJson(name, handle, exchange) };
  });
}

type Handle = (call: Call<unknown, unknown>) => Promise<Answer>;

const NOT_FOUND = [
  ['/jobs', 'JOB_NOT_FOUND'],
  ['/secrets', 'SECRET_NOT_FOUND'],
  ['/executions', 'EXECUTION_NOT_FOUND'],
  ['/runners', 'RUNNER_NOT_FOUND'],
  ['/webhooks', 'WEBHOOK_NOT_FOUND'],
  ['/tokens', 'TOKEN_NOT_FOUND'],
] as const;

/** The `:id` of an endpoint's path; empty where the path has none. */
function pathId(name: EndpointName, params: Exchange['params']): string {
  const { path }: Endpoint = ENDPOINTS[name];
  const code = NOT_FOUND.find(([prefix]) => path.startsWith(prefix))?.[1] ?? 'RUNNER_NOT_FOUND';
  return path.includes(':id') ? idOf(params, code) : '';
}

async function answerJson(
  name: JsonName,
  handle: Handle,
  { request, response, params, caller }: Exchange,
): Promise<void> {
  const endpoint: Endpoint = ENDPOINTS[name];
  const sent = withTrace(name, await readJson(request), request.headers['traceparent']);
  const answer = await handle({
    caller,
    id: pathId(name, params),
    body: endpoint.request
      ? (plainSubmission(name, sent) ?? parseBody(endpoint.request, sent, name))
      : undefined,
    query: endpoint.query
      ? parseAs(endpoint.query, queryOf(request.url), { name, part: 'query' })
      : undefined,
  });
  sendJson(response, answer.status ?? endpoint.status, answer.body);
}

/** A socket was meant, and plain HTTP came. */
async function refuseWithoutUpgrade({ request }: Exchange): Promise<void> {
  await readJson(request);
  throw new JobForgeError('VALIDATION_ERROR', {
    message: 'This is a WebSocket endpoint: the request did not ask for an upgrade.',
    remedy: 'Dial it with a WebSocket client and the subprotocol controlplane.v1.',
  });
}
