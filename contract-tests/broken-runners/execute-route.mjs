/** POST /execute, in its three forms. */
import { envelope, statusOf } from './envelope.mjs';
import { NDJSON, parse, readBody, refuse, sendJson } from './replies.mjs';

const MAX_BODY = 4 * 1024 * 1024;
const KNOWN_MEMBERS = new Set(
  'jobId executionId moduleId capabilityId payload timeoutMs metadata attempt leaseToken'.split(' '),
);

function isRequest(body, broken) {
  const plain = typeof body === 'object' && body !== null && !Array.isArray(body);
  if (!plain || typeof body.jobId !== 'string' || typeof body.capabilityId !== 'string') return false;
  if (typeof body.payload !== 'object' || body.payload === null) return false;
  return (
    !broken('execute.tolerates-unknown-fields') || Object.keys(body).every((key) => KNOWN_MEMBERS.has(key))
  );
}

let newest;

/** The body to answer: a runner that mixes its executions up takes the newest one's. */
async function settled(body, broken) {
  if (!broken('execute.keeps-concurrent-answers-apart')) return body;
  newest = body;
  await new Promise((resolve) => setTimeout(resolve, 20));
  return newest;
}

async function answerJson(received, response, { executions, broken }) {
  const body = await settled(received, broken);
  const end = await executions.start(body).done;
  const jobId = broken('execute.keeps-ids') ? undefined : body.jobId;
  if (broken('execute.rejects-unknown-capability') && end.error?.code === 'CAPABILITY_NOT_FOUND') {
    return sendJson(response, 200, { jobId, success: true, data: {} });
  }
  const error = end.type === 'cancelled' ? envelope('EXECUTION_CANCELLED', 'cancelled') : end.error;
  if (error) {
    const shown = broken('errors.failure-is-an-envelope') ? error.message : error;
    const status = broken('errors.status-fits-the-code') ? 500 : statusOf(error.code);
    return sendJson(response, status, { jobId, success: false, error: shown, executionTimeMs: 1 });
  }
  const complete = { jobId, success: true, data: end.data, executionTimeMs: 1 };
  return sendJson(
    response,
    200,
    broken('execute.answers-valid-input') ? { jobId, result: end.data } : complete,
  );
}

/** Writes an execution's events: those that were, then those to come. */
async function stream(execution, response, broken) {
  const write = (event) => response.write(`${JSON.stringify(event)}\n`);
  if (broken('streaming.as-it-happens')) await execution.done;
  execution.events.forEach(write);
  execution.listeners.add(write);
  await execution.done;
  execution.listeners.delete(write);
}

async function answerStream(body, response, { executions, broken }) {
  response.writeHead(200, {
    'content-type': broken('streaming.one-event-a-line') ? 'application/json' : NDJSON,
  });
  const execution = executions.start(body);
  if (broken('streaming.survives-disconnect')) response.on('close', () => execution.controller.abort('user'));
  await stream(execution, response, broken);
  response.end();
}

function failedLine(body) {
  const error = envelope('VALIDATION_ERROR', 'no execution request');
  const executionId = body?.executionId ?? 'unknown';
  return `${JSON.stringify({ executionId, seq: 0, at: new Date().toISOString(), type: 'failed', error })}\n`;
}

async function answerBatch(text, response, { executions, broken }) {
  const bodies = text.split('\n').filter(Boolean).map(parse);
  const bad = bodies.filter((body) => !isRequest(body, broken));
  if (bad.length > 0 && broken('streaming.batch-isolates-a-bad-line'))
    return refuse(response, 'VALIDATION_ERROR', 'a bad line');
  response.writeHead(200, { 'content-type': NDJSON });
  for (const body of bad) response.write(failedLine(body));
  const good = bodies.filter((body) => isRequest(body, broken));
  const taken = broken('streaming.batch-answers-each') ? good.slice(0, 1) : good;
  await Promise.all(taken.map((body) => stream(executions.start(body), response, broken)));
  return response.end();
}

export async function execute(request, response, context) {
  const { broken } = context;
  const text = await readBody(
    request,
    broken('execute.survives-oversized-body') ? Number.POSITIVE_INFINITY : MAX_BODY,
  );
  if (text === undefined) return refuse(response, 'PAYLOAD_TOO_LARGE', 'more than 4 MB');
  if (request.headers['content-type']?.startsWith(NDJSON)) return answerBatch(text, response, context);
  const body = parse(text);
  if (body === undefined) {
    if (broken('execute.rejects-malformed-json')) return sendJson(response, 500, { success: false });
    return refuse(response, 'INVALID_JSON', 'not JSON');
  }
  if (!isRequest(body, broken)) {
    if (broken('execute.rejects-malformed-request'))
      return sendJson(response, 200, { success: true, data: {} });
    return refuse(response, 'VALIDATION_ERROR', 'no execution request');
  }
  return request.headers.accept?.includes(NDJSON)
    ? answerStream(body, response, context)
    : answerJson(body, response, context);
}
