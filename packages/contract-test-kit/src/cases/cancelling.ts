import { CancelExecutionResponse, ErrorEnvelope, type CancelReason } from '@controlplane/contracts';
import type { Case, CaseContext } from '../case/case.js';
import { memberOf, must, mustReply } from '../case/expect.js';
import { NotApplicable } from '../case/verdict.js';
import { within } from '../case/wait.js';
import type { Exchange } from '../harness/exchange.js';
import { pause } from '../harness/pause.js';
import {
  newExecution,
  terminalOf,
  type ExecutionBody,
  type ExecutionExchange,
} from '../harness/runner-client.js';

const LONG_MS = 12_000;
const SHORT_MS = 1_500;
/** Without a stream nothing says when an execution has begun. */
const BEGUN_MS = 200;
/** How long an execution may go on that was cancelled. */
const PATIENCE_MS = 6_000;

interface Running {
  readonly body: ExecutionBody;
  readonly done: Promise<ExecutionExchange>;
}

const isStreaming = ({ runner }: CaseContext): boolean => runner.description.features.includes('ndjson');

/** Starts an execution and waits until it has begun. */
async function begin(context: CaseContext, ms: number, form: 'json' | 'any' = 'any'): Promise<Running> {
  const { id } = context.fixture('conformance.sleep');
  const { client } = context.runner;
  const body = newExecution(id, { ms });
  if (form === 'any' && isStreaming(context)) {
    const running = client.stream(body);
    running.done.catch(() => {});
    await running.firstLine;
    return { body, done: running.done };
  }
  const done = client.execute(body);
  await pause(BEGUN_MS, context.signal);
  return { body, done };
}

function sendCancel(
  { runner }: CaseContext,
  executionId: string,
  text: string | undefined,
): Promise<Exchange> {
  const { href } = new URL(`executions/${encodeURIComponent(executionId)}/cancel`, runner.client.urls.root);
  const headers = text === undefined ? {} : { 'content-type': 'application/json' };
  return runner.client.send({
    method: 'POST',
    url: href,
    headers,
    ...(text === undefined ? {} : { body: text }),
  });
}

const cancelFor = (context: CaseContext, { body }: Running, reason: CancelReason): Promise<Exchange> =>
  sendCancel(context, body.executionId, JSON.stringify({ reason }));

const isCancelled = (exchange: ExecutionExchange): boolean =>
  terminalOf(exchange)?.type === 'cancelled' || exchange.reply?.error?.code === 'EXECUTION_CANCELLED';

const hasSucceeded = (exchange: ExecutionExchange): boolean =>
  terminalOf(exchange)?.type === 'succeeded' || exchange.reply?.success === true;

/** The end of an execution that was cancelled; a runner that goes on with it breaks what is judged. */
async function endSoon(context: CaseContext, { done }: Running, sent: Exchange): Promise<ExecutionExchange> {
  const end = await within(done, { ms: PATIENCE_MS, signal: context.signal });
  mustReply(end, `the end of the execution within ${PATIENCE_MS / 1000} s of this request`, sent);
  return end;
}

async function sparesOthers(context: CaseContext): Promise<void> {
  const { maxConcurrency } = context.fixture('conformance.sleep');
  if (Math.min(maxConcurrency, context.runner.description.maxConcurrency ?? 2) < 2)
    throw new NotApplicable('the runner declares fewer than 2 slots');
  const [target, other] = [await begin(context, LONG_MS), await begin(context, SHORT_MS)];
  const sent = await cancelFor(context, target, 'user');
  mustReply(isCancelled(await endSoon(context, target, sent)), 'the execution cancelled', sent);
  const end = await other.done;
  mustReply(hasSucceeded(end), 'success of the execution that was not cancelled', end);
}

async function staysCancelled(context: CaseContext): Promise<void> {
  const running = await begin(context, LONG_MS);
  const sent = await cancelFor(context, running, 'user');
  const first = await endSoon(context, running, sent);
  const again = isStreaming(context)
    ? context.runner.client.stream(running.body).done
    : context.runner.client.execute(running.body);
  const second = await within(again, { ms: PATIENCE_MS, signal: context.signal });
  must(second && isCancelled(second), {
    expected: 'cancelled at once when the same executionId is sent again',
    actual: second ? 'another outcome' : 'an execution that runs again',
    exchange: second ?? first,
  });
}

async function keepsTheReason(context: CaseContext): Promise<void> {
  if (!isStreaming(context)) throw new NotApplicable('the runner does not declare the feature ndjson');
  const reason = 'lease-lost';
  const running = await begin(context, LONG_MS);
  const end = await endSoon(context, running, await cancelFor(context, running, reason));
  const terminal = terminalOf(end);
  const told = terminal?.type === 'cancelled' ? terminal.reason : undefined;
  mustReply(told === reason, `a cancelled event with reason ${reason}`, end);
}

async function isFenced(context: CaseContext): Promise<void> {
  const running = await begin(context, SHORT_MS);
  const text = JSON.stringify({ reason: 'user', leaseToken: 'kit-lease-of-another-attempt' });
  const exchange = await sendCancel(context, running.body.executionId, text);
  const envelope = ErrorEnvelope.safeParse(memberOf(exchange.json, 'error'));
  mustReply(
    exchange.status === 409 && envelope.success && envelope.data.code === 'LEASE_SUPERSEDED',
    '409 LEASE_SUPERSEDED for the leaseToken of another attempt',
    exchange,
  );
  const end = await running.done;
  mustReply(hasSucceeded(end), 'success: the execution goes on', end);
}

async function rejectsMalformed(context: CaseContext): Promise<void> {
  const running = await begin(context, SHORT_MS);
  const exchange = await sendCancel(context, running.body.executionId, '{"reason":"because"}');
  mustReply(exchange.status === 400, '400 for a reason that the contract does not know', exchange);
  const end = await running.done;
  mustReply(hasSucceeded(end), 'success: the execution goes on', end);
}

async function answersTheRequest(context: CaseContext): Promise<void> {
  const running = await begin(context, LONG_MS, 'json');
  const end = await endSoon(context, running, await cancelFor(context, running, 'user'));
  mustReply(
    end.status === 409 && end.reply?.error?.code === 'EXECUTION_CANCELLED' && !end.reply.error.retryable,
    '409 EXECUTION_CANCELLED, retryable=false',
    end,
  );
}

async function twiceIsOnce(context: CaseContext): Promise<void> {
  const running = await begin(context, LONG_MS);
  const first = await cancelFor(context, running, 'user');
  const second = await cancelFor(context, running, 'user');
  const parsed = CancelExecutionResponse.safeParse(second.json);
  mustReply(
    second.status === 404 || (second.status === 202 && parsed.success),
    '202 again, or 404 once it has ended',
    second,
  );
  const end = await endSoon(context, running, first);
  mustReply(isCancelled(end), 'the execution cancelled, once', end);
}

async function needsNoBody(context: CaseContext): Promise<void> {
  const running = await begin(context, LONG_MS);
  const exchange = await sendCancel(context, running.body.executionId, undefined);
  mustReply(exchange.status === 202, '202 for a request without a body', exchange);
  const end = await endSoon(context, running, exchange);
  mustReply(isCancelled(end), 'the execution cancelled', end);
}

export const cancellingCases: readonly Case[] = [
  { id: 'cancellation.spares-others', alone: true, judge: sparesOthers },
  { id: 'cancellation.stays-cancelled', judge: staysCancelled },
  { id: 'cancellation.keeps-the-reason', judge: keepsTheReason },
  { id: 'cancellation.is-fenced', judge: isFenced },
  { id: 'cancellation.rejects-malformed', judge: rejectsMalformed },
  { id: 'cancellation.answers-the-request', judge: answersTheRequest },
  { id: 'cancellation.twice-is-once', judge: twiceIsOnce },
  { id: 'cancellation.needs-no-body', judge: needsNoBody },
];
