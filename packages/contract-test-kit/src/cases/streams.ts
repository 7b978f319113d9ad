import type { ExecutionEvent } from '@controlplane/contracts';
import type { Case, CaseContext } from '../case/case.js';
import { memberOf, must, mustKeepRule, mustReply } from '../case/expect.js';
import { NotApplicable } from '../case/verdict.js';
import { shorten, showReply } from '../case/wire-rules.js';
import {
  newExecution,
  terminalOf,
  type ExecutionBody,
  type ExecutionExchange,
} from '../harness/runner-client.js';
import { valueFaults } from '../inputs/json-schema-check.js';

const TEXT = 'ä ß € 漢字 🚀 "quoted" \\ \u2028 tab\t';
const FAILURE = { code: 'KIT_EXPECTED', message: 'as the kit asked', retryable: false };

const streamOnce = ({ runner }: CaseContext, body: ExecutionBody): Promise<ExecutionExchange> =>
  runner.client.stream(body).done;

function subjectBody(context: CaseContext): ExecutionBody {
  const { capability, input } = context.subject();
  return newExecution(capability.id, input);
}

const keepsRule = (id: 'streaming.ends-with-newline' | 'streaming.times-rise'): Case => ({
  id,
  judge: async (context) => {
    const exchange = await streamOnce(context, subjectBody(context));
    mustReply(exchange.events.length > 0, 'a stream of events', exchange);
    mustKeepRule(id, exchange);
  },
});

function endOf(exchange: ExecutionExchange): Extract<ExecutionEvent, { executionTimeMs: number }> {
  const terminal = terminalOf(exchange);
  mustReply(terminal, 'a terminal event', exchange);
  return terminal;
}

async function keepsTextIntact(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.echo');
  const exchange = await streamOnce(context, newExecution(id, { text: TEXT }));
  const back = memberOf(endOf(exchange), 'data', 'text');
  mustReply(back === TEXT, `data.text ${JSON.stringify(TEXT)}`, exchange);
}

async function onlyWhenAsked(context: CaseContext): Promise<void> {
  const { client } = context.runner;
  for (const accept of ['*/*', 'application/json']) {
    const exchange = await client.send({
      method: 'POST',
      url: client.urls.execute,
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify(subjectBody(context)),
    });
    mustReply(
      typeof memberOf(exchange.json, 'success') === 'boolean',
      `a single JSON reply for accept ${accept}`,
      exchange,
    );
  }
}

async function returnsDeclaredOutput(context: CaseContext): Promise<void> {
  let succeeded = 0;
  for (const { capability, input } of context.subjects().slice(0, 10)) {
    const exchange = await streamOnce(context, newExecution(capability.id, input));
    const end = endOf(exchange);
    if (end.type !== 'succeeded') continue;
    succeeded += 1;
    const faults = valueFaults(capability.outputSchema, end.data);
    mustReply(
      faults.length === 0,
      `data that matches the output schema of ${capability.id} (${faults.slice(0, 3).join('; ')})`,
      exchange,
    );
  }
  if (succeeded === 0) throw new NotApplicable('no capability succeeds with an input made from its schema');
}

async function failureIsAnEnvelope(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.fail');
  for (const retryable of [true, false]) {
    const exchange = await streamOnce(context, newExecution(id, { ...FAILURE, retryable }));
    const end = endOf(exchange);
    mustReply(
      end.type === 'failed' && end.error.code === FAILURE.code && end.error.retryable === retryable,
      `failed with code ${FAILURE.code} and retryable=${retryable}`,
      exchange,
    );
  }
}

async function timeoutIsAnEvent(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.sleep');
  const exchange = await streamOnce(context, newExecution(id, { ms: 12_000 }, { timeoutMs: 300 }));
  const end = endOf(exchange);
  mustReply(
    end.type === 'failed' && end.error.code === 'EXECUTION_TIMEOUT',
    'failed with EXECUTION_TIMEOUT',
    exchange,
  );
}

/** Ends of the same execution: one run has one. */
function mustBeOneRun(first: ExecutionExchange, second: ExecutionExchange): void {
  const [before, after] = [terminalOf(first), terminalOf(second)];
  must(before && after && before.at === after.at && before.seq === after.seq, {
    expected: `the same end for both: ${shorten(JSON.stringify(before))}`,
    actual: after ? shorten(JSON.stringify(after)) : showReply(second),
    exchange: second,
  });
}

async function concurrentRepeatsRunOnce(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.sleep');
  const body = newExecution(id, { ms: 400 });
  const running = context.runner.client.stream(body);
  await running.firstLine;
  const second = await streamOnce(context, body);
  const first = await running.done;
  mustBeOneRun(first, second);
  const [accepted, again] = [first.events[0]?.event, second.events[0]?.event];
  must(accepted?.at === again?.at, {
    expected: `accepted once, at ${accepted?.at}`,
    actual: `${again?.type} at ${again?.at}`,
    exchange: second,
  });
}

/** Runs a failing execution and gives the id of its error, which no other run would have. */
async function failOnce(context: CaseContext, body: ExecutionBody): Promise<string> {
  const exchange = await streamOnce(context, body);
  const end = endOf(exchange);
  mustReply(end.type === 'failed', 'a failed event', exchange);
  return end.error.id;
}

async function repeatsFailures(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.fail');
  const body = newExecution(id, FAILURE);
  const errorId = await failOnce(context, body);
  const again = await streamOnce(context, body);
  const end = endOf(again);
  mustReply(end.type === 'failed' && end.error.id === errorId, `the same error, with id ${errorId}`, again);
}

async function answersRepeatsInJson(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.fail');
  const body = newExecution(id, FAILURE);
  const errorId = await failOnce(context, body);
  const again = await context.runner.client.execute(body);
  mustReply(again.reply?.error?.id === errorId, `the same error as in the stream, with id ${errorId}`, again);
}

const endIn = ({ events }: ExecutionExchange, executionId: string): ExecutionEvent | undefined =>
  events.find(
    ({ event }) => event.executionId === executionId && ['succeeded', 'failed'].includes(event.type),
  )?.event;

async function batchRefusesAlone(context: CaseContext): Promise<void> {
  const good = subjectBody(context);
  const unknown = newExecution('kit.no-such-capability', {});
  const exchange = await context.runner.client.batch([unknown, good]);
  const [refused, ran] = [endIn(exchange, unknown.executionId), endIn(exchange, good.executionId)];
  mustReply(refused?.type === 'failed', 'a failed event for the unknown capability', exchange);
  mustReply(
    ran && !(ran.type === 'failed' && ran.error.code === refused.error.code),
    'the other line to run',
    exchange,
  );
}

async function batchIgnoresBlankLines(context: CaseContext): Promise<void> {
  const good = subjectBody(context);
  const exchange = await context.runner.client.batch(['', good, '']);
  mustReply(
    endIn(exchange, good.executionId) &&
      exchange.events.every(({ event }) => event.executionId === good.executionId),
    'the events of the one execution alone',
    exchange,
  );
}

async function batchRejectsEmpty(context: CaseContext): Promise<void> {
  const exchange = await context.runner.client.batch(['']);
  mustReply(exchange.status >= 400 && exchange.status < 500, 'a 4xx status', exchange);
}

export const streamCases: readonly Case[] = [
  keepsRule('streaming.ends-with-newline'),
  keepsRule('streaming.times-rise'),
  { id: 'streaming.keeps-text-intact', judge: keepsTextIntact },
  { id: 'streaming.only-when-asked', judge: onlyWhenAsked },
  { id: 'streaming.returns-declared-output', judge: returnsDeclaredOutput },
  { id: 'streaming.failure-is-an-envelope', judge: failureIsAnEnvelope },
  { id: 'streaming.timeout-is-an-event', judge: timeoutIsAnEvent },
  { id: 'streaming.concurrent-repeats-run-once', judge: concurrentRepeatsRunOnce },
  { id: 'streaming.repeats-failures', judge: repeatsFailures },
  { id: 'streaming.answers-repeats-in-json', judge: answersRepeatsInJson },
  { id: 'streaming.batch-refuses-alone', judge: batchRefusesAlone },
  { id: 'streaming.batch-ignores-blank-lines', judge: batchIgnoresBlankLines },
  { id: 'streaming.batch-rejects-empty', judge: batchRejectsEmpty },
];
