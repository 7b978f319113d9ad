/** What the runner serves. */
import { CAPABILITIES, SLOTS } from './capabilities.mjs';
import { envelope, statusOf } from './envelope.mjs';

const NDJSON = 'application/x-ndjson';
const MAX_BODY = 4 * 1024 * 1024;
const KNOWN_MEMBERS = new Set(['jobId', 'executionId', 'moduleId', 'capabilityId', 'payload', 'timeoutMs', 'metadata', 'attempt', 'leaseToken']);

export const FEATURES = ['ndjson', 'batch', 'cancel'];

function sendJson(response, status, body, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

const refuse = (response, code, message, headers) => sendJson(response, statusOf(code), { success: false, error: envelope(code, message) }, headers);

async function readBody(request, limit) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
  }
  return size > limit ? undefined : Buffer.concat(chunks).toString('utf8');
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRequest(body, broken) {
  const plain = typeof body === 'object' && body !== null && !Array.isArray(body);
  if (!plain || typeof body.jobId !== 'string' || typeof body.capabilityId !== 'string') return false;
  if (typeof body.payload !== 'object' || body.payload === null) return false;
  return !broken('execute.tolerates-unknown-fields') || Object.keys(body).every((key) => KNOWN_MEMBERS.has(key));
}

export function createRoutes({ executions, state, broken }) {
  let latest;

  function health(response) {
    if (broken('health.answers')) return sendJson(response, 200, { status: 'fine' });
    const status = broken('health.status-code-agrees') ? 'unhealthy' : 'healthy';
    const full = { service: 'broken-runner', status, timestamp: new Date().toISOString(), version: '1.0.0', uptime: process.uptime(), checks: [] };
    sendJson(response, 200, broken('health.complete') ? { status } : full);
  }

  function manifest(response) {
    const capabilities = broken('manifest.matches-registration') ? CAPABILITIES.map((item) => ({ ...item, version: '9.9.9' })) : CAPABILITIES;
    const full = { name: 'broken-runner', version: '1.0.0', contractVersion: '1.0.0', capabilities, maxConcurrency: SLOTS, features: FEATURES };
    sendJson(response, 200, broken('manifest.valid-message') ? { name: full.name } : full);
  }

  async function answerJson(body, response) {
    if (broken('execute.keeps-concurrent-answers-apart')) {
      latest = body;
      await new Promise((resolve) => setTimeout(resolve, 20));
      body = latest;
    }
    const execution = executions.start(body);
    const end = await execution.done;
    if (broken('execute.rejects-unknown-capability') && end.error?.code === 'CAPABILITY_NOT_FOUND') return sendJson(response, 200, { jobId: body.jobId, success: true, data: {} });
    const error = end.type === 'cancelled' ? envelope('EXECUTION_CANCELLED', 'cancelled') : end.error;
    const jobId = broken('execute.keeps-ids') ? undefined : body.jobId;
    if (!error) return sendJson(response, 200, broken('execute.answers-valid-input') ? { jobId, result: end.data } : { jobId, success: true, data: end.data, executionTimeMs: 1 });
    const shown = broken('errors.failure-is-an-envelope') ? error.message : error;
    sendJson(response, broken('errors.status-fits-the-code') ? 500 : statusOf(error.code), { jobId, success: false, error: shown, executionTimeMs: 1 });
  }

  /** Writes an execution's events: those that were, then those to come. */
  async function stream(execution, response) {
    const write = (event) => response.write(`${JSON.stringify(event)}\n`);
    if (broken('streaming.as-it-happens')) {
      await execution.done;
      execution.events.forEach(write);
      return;
    }
    execution.events.forEach(write);
    execution.listeners.add(write);
    await execution.done;
    execution.listeners.delete(write);
  }

  async function answerStream(bodies, request, response) {
    response.writeHead(200, { 'content-type': broken('streaming.one-event-a-line') ? 'application/json' : NDJSON });
    const started = bodies.map((body) => executions.start(body));
    if (broken('streaming.survives-disconnect')) response.on('close', () => started.forEach(({ controller }) => controller.abort('user')));
    await Promise.all(started.map((execution) => stream(execution, response)));
    response.end();
  }

  async function answerBatch(text, request, response) {
    const bodies = text.split('\n').filter(Boolean).map(parse);
    const bad = bodies.filter((body) => !isRequest(body, broken));
    if (bad.length > 0 && broken('streaming.batch-isolates-a-bad-line')) return refuse(response, 'VALIDATION_ERROR', 'a line is no execution request');
    response.writeHead(200, { 'content-type': NDJSON });
    for (const body of bad) {
      const failed = { executionId: body?.executionId ?? 'unknown', seq: 0, at: new Date().toISOString(), type: 'failed', error: envelope('VALIDATION_ERROR', 'no execution request') };
      response.write(`${JSON.stringify(failed)}\n`);
    }
    const good = bodies.filter((body) => isRequest(body, broken));
    const taken = broken('streaming.batch-answers-each') ? good.slice(0, 1) : good;
    await Promise.all(taken.map((body) => stream(executions.start(body), response)));
    response.end();
  }

  async function execute(request, response) {
    const text = await readBody(request, broken('execute.survives-oversized-body') ? Number.POSITIVE_INFINITY : MAX_BODY);
    if (text === undefined) return refuse(response, 'PAYLOAD_TOO_LARGE', 'more than 4 MB');
    if (request.headers['content-type']?.startsWith(NDJSON)) return answerBatch(text, request, response);
    const body = parse(text);
    if (body === undefined) return broken('execute.rejects-malformed-json') ? sendJson(response, 500, { success: false }) : refuse(response, 'INVALID_JSON', 'not JSON');
    if (!isRequest(body, broken)) return broken('execute.rejects-malformed-request') ? sendJson(response, 200, { success: true, data: {} }) : refuse(response, 'VALIDATION_ERROR', 'no execution request');
    return request.headers.accept?.includes(NDJSON) ? answerStream([body], request, response) : answerJson(body, response);
  }

  function cancel(executionId, response) {
    const execution = executions.find(executionId);
    if (!execution) {
      if (broken('cancellation.unknown-execution')) return sendJson(response, 202, { executionId, cancelling: true });
      return refuse(response, 'EXECUTION_NOT_FOUND', `no execution ${executionId}`);
    }
    const cancelling = !execution.ended || broken('cancellation.after-the-end');
    execution.controller.abort('user');
    if (broken('cancellation.confirms')) return sendJson(response, 200, { ok: true });
    sendJson(response, 202, { executionId, cancelling });
  }

  function probe(response, ok) {
    if (broken('health.probes')) return refuse(response, 'ROUTE_NOT_FOUND', 'nothing here');
    sendJson(response, ok ? 200 : 503, { ok, reasons: ok ? [] : ['not registered'] });
  }

  return async (request, response) => {
    const path = request.url.split('?')[0];
    const cancelled = /^\/executions\/([^/]+)\/cancel$/.exec(path);
    if (path === '/health') return health(response);
    if (path === '/livez') return probe(response, true);
    if (path === '/readyz') return probe(response, state.registered);
    if (path === '/manifest' && !broken('manifest.served')) return manifest(response);
    if (path === '/execute' && request.method === 'POST') return execute(request, response);
    if (path === '/execute' && !broken('errors.wrong-method')) return refuse(response, 'METHOD_NOT_ALLOWED', 'POST only', { allow: 'POST' });
    if (cancelled && request.method === 'POST') return cancel(decodeURIComponent(cancelled[1]), response);
    if (broken('errors.unknown-route')) {
      response.writeHead(404, { 'content-type': 'text/html' });
      return response.end('<h1>Not found</h1>');
    }
    return refuse(response, 'ROUTE_NOT_FOUND', `nothing at ${path}`);
  };
}
