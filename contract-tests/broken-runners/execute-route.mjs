/** POST /execute, in its three forms. */
import { answerBatch } from './answer-batch.mjs';
import { envelope, statusOf } from './envelope.mjs';
import { streamEvents } from './event-lines.mjs';
import { isId, isRequest } from './execution-request.mjs';
import { NDJSON, parse, refuse, sendJson } from './replies.mjs';
import { isReadable, mishandle, readBody } from './request-body.mjs';

const MAX_BODY = 4 * 1024 * 1024;
let newest;

/** The body to answer: a runner that mixes its executions up takes the newest one's. */
async function settled(body, broken) {
  if (!broken('execute.keeps-concurrent-answers-apart')) return body;
  newest = body;
  await new Promise((resolve) => setTimeout(resolve, 20));
  return newest;
}

/** How an execution ended, as a status and a body. */
function outcomeOf(end, jobId, broken) {
  const { executionTimeMs } = end;
  if (broken('execute.rejects-unknown-capability') && end.error?.code === 'CAPABILITY_NOT_FOUND')
    return [200, { jobId, success: true, data: {} }];
  const error = end.type === 'cancelled' ? envelope('EXECUTION_CANCELLED', 'cancelled') : end.error;
  if (!error && broken('execute.answers-valid-input')) return [200, { jobId, result: end.data }];
  if (!error) return [200, { jobId, success: true, data: end.data, executionTimeMs }];
  const shown = broken('errors.failure-is-an-envelope') ? error.message : error;
  const isHidden = broken('cancellation.answers-the-request') && end.type === 'cancelled';
  const status = isHidden || broken('errors.status-fits-the-code') ? 500 : statusOf(error.code);
  return [status, { jobId, success: false, error: shown, executionTimeMs }];
}

/** Why a careless runner refuses what it could run. */
function excuse({ state, broken }) {
  return broken('resilience.works-without-control-plane') && state.missed > 1 ? 'RUNNER_DRAINING' : undefined;
}

async function answerJson(received, response, context) {
  const { executions, broken, state } = context;
  const code = excuse(context);
  if (code) return refuse(response, code, 'the control plane is away');
  if (broken('heartbeat.survives-slow-replies')) await state.beating;
  const body = await settled(received, broken);
  if (broken('security.keeps-unknown-fields-out-of-output')) console.log(JSON.stringify(body));
  const execution = executions.start(body, 'json');
  response.on('close', () => {
    execution.isLeft = !response.writableEnded;
  });
  const end = await execution.done;
  const jobId = broken('execute.keeps-ids') ? undefined : body.jobId;
  if (broken('http.says-json')) response.setHeader('content-type', 'text/plain');
  return sendJson(response, ...outcomeOf(end, jobId, broken));
}

async function answerStream(body, response, { executions, broken }) {
  response.writeHead(200, {
    'content-type': broken('streaming.one-event-a-line') ? 'application/json' : NDJSON,
  });
  const execution = executions.start(body);
  if (broken('streaming.survives-disconnect')) response.on('close', () => execution.controller.abort('user'));
  await streamEvents(execution, response, broken);
  response.end();
}

/** Why a body is not read at all, as a code and words; a list to be spread. */
function unreadable(request, text, { broken, check }) {
  if (broken('http.reads-chunked-body') && request.headers['transfer-encoding'])
    return ['INVALID_JSON', 'a content-length is needed'];
  if (!isReadable(request.headers['content-type'], broken))
    return ['UNSUPPORTED_MEDIA_TYPE', 'JSON is read here'];
  if (text === undefined) return ['PAYLOAD_TOO_LARGE', 'more than 4 MB'];
  const fault = check.fault(request.headers, text);
  return fault ? ['SIGNATURE_INVALID', fault] : undefined;
}

/** Answers what is no execution request: a careless runner does not see that it is none. */
function answerOther(body, response, { broken }) {
  if (body === undefined && broken('execute.rejects-malformed-json'))
    return sendJson(response, 500, { success: false });
  if (body === undefined) return refuse(response, 'INVALID_JSON', 'not JSON');
  const takesPayload = broken('execute.rejects-other-payloads') && isId(body?.capabilityId);
  if (takesPayload || broken('execute.rejects-malformed-request'))
    return sendJson(response, 200, { success: true, data: {} });
  return refuse(response, 'VALIDATION_ERROR', 'no execution request');
}

function isStreamed({ headers }, broken) {
  const { accept = '' } = headers;
  return accept.includes(NDJSON) || (broken('streaming.only-when-asked') && accept.includes('*/*'));
}

export async function execute(request, response, context) {
  const { broken } = context;
  const limit = broken('execute.survives-oversized-body') ? Number.POSITIVE_INFINITY : MAX_BODY;
  const text = await readBody(request, { limit, broken });
  const refusal = unreadable(request, text, context);
  if (refusal) return refuse(response, ...refusal);
  if (request.headers['content-type']?.startsWith(NDJSON)) return answerBatch(text, response, context);
  const body = parse(text);
  mishandle(body, broken);
  if (!isRequest(body, broken)) return answerOther(body, response, context);
  return isStreamed(request, broken)
    ? answerStream(body, response, context)
    : answerJson(body, response, context);
}
