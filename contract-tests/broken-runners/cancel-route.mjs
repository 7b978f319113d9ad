/** POST /executions/:executionId/cancel. */
import { parse, refuse, sendJson } from './replies.mjs';
import { readBody } from './request-body.mjs';

const REASONS = new Set(['user', 'deadline', 'shutdown', 'lease-lost']);
const MAX_BODY = 64 * 1024;

/** What is asked for: undefined where the body does not say it well. */
function askedFor(text, broken) {
  if (text === '') return broken('cancellation.needs-no-body') ? undefined : { reason: 'user' };
  const body = parse(text);
  const { reason = 'user', leaseToken } = body ?? {};
  const isKnown = REASONS.has(reason) || broken('cancellation.rejects-malformed');
  return body === undefined || !isKnown ? undefined : { reason, leaseToken };
}

function stop(execution, reason, { executions, broken }) {
  if (broken('cancellation.spares-others'))
    for (const other of executions.all()) other.controller.abort(reason);
  execution.controller.abort(broken('cancellation.keeps-the-reason') ? 'user' : reason);
}

/** Why the execution is not told to stop: a code of the catalogue. */
function refusalOf(execution, { leaseToken }, broken) {
  const { leaseToken: current } = execution.body;
  const isOther = leaseToken !== undefined && current !== undefined && leaseToken !== current;
  if (isOther && !broken('cancellation.is-fenced')) return 'LEASE_SUPERSEDED';
  return execution.asked && broken('cancellation.twice-is-once') ? 'EXECUTION_CANCELLED' : undefined;
}

export async function cancel(request, response, context) {
  const { executions, check, broken } = context;
  const text = (await readBody(request, { limit: MAX_BODY, broken })) ?? '';
  const fault = broken('security.refuses-unsigned-cancel') ? undefined : check.fault(request.headers, text);
  if (fault) return refuse(response, 'SIGNATURE_INVALID', fault);
  const asked = askedFor(text, broken);
  if (!asked) return refuse(response, 'VALIDATION_ERROR', 'no request to cancel');
  const executionId = decodeURIComponent(request.url.split('/')[2]);
  const execution = executions.find(executionId);
  if (!execution) {
    if (broken('cancellation.unknown-execution'))
      return sendJson(response, 202, { executionId, cancelling: true });
    return refuse(response, 'EXECUTION_NOT_FOUND', `no execution ${executionId}`);
  }
  const refusal = refusalOf(execution, asked, broken);
  if (refusal) return refuse(response, refusal, 'not cancelled');
  execution.asked = true;
  const cancelling = !execution.ended || broken('cancellation.after-the-end');
  stop(execution, asked.reason, context);
  return broken('cancellation.confirms')
    ? sendJson(response, 200, { ok: true })
    : sendJson(response, 202, { executionId, cancelling });
}
