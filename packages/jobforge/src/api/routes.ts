import { ENDPOINTS, type Endpoint } from '@controlplane/contracts';
import { readJson } from './body-reader.js';
import { streamJobEvents, type EventStreamOptions } from './event-stream.js';
import { createHandlers, type Answer, type Call } from './handlers.js';
import { sendJson } from './json-reply.js';
import { idOf, parseAs, parseBody, queryOf } from './request-parsing.js';
import { SERVED_NAMES, type Exchange, type JsonName, type Route } from './served-endpoints.js';

/** Every endpoint of the contract that JobForge serves, in the order of the table. */
export function createRoutes(options: EventStreamOptions): Route[] {
  const handlers = createHandlers(options.operations);
  return SERVED_NAMES.map((name) => {
    const { method, path } = ENDPOINTS[name];
    if (name === 'jobEvents')
      return { name, method, path, answer: (exchange) => streamJobEvents(exchange, options) };
    const handle = handlers[name] as Handle;
    return { name, method, path, answer: (exchange) => answerJson(name, handle, exchange) };
  });
}

type Handle = (call: Call<unknown, unknown>) => Promise<Answer>;

async function answerJson(
  name: JsonName,
  handle: Handle,
  { request, response, params }: Exchange,
): Promise<void> {
  const endpoint: Endpoint = ENDPOINTS[name];
  const sent = await readJson(request);
  const answer = await handle({
    id: endpoint.path.includes(':id')
      ? idOf(params, endpoint.path.startsWith('/jobs') ? 'JOB_NOT_FOUND' : 'RUNNER_NOT_FOUND')
      : '',
    body: endpoint.request ? parseBody(endpoint.request, sent, name) : undefined,
    query: endpoint.query
      ? parseAs(endpoint.query, queryOf(request.url), { name, part: 'query' })
      : undefined,
  });
  sendJson(response, answer.status ?? endpoint.status, answer.body);
}
