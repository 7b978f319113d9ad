import type { Case, CaseContext } from '../case/case.js';
import { memberOf, must, mustKeepRule, mustReply, mustStillAnswer } from '../case/expect.js';
import { NotApplicable, NotEvaluable } from '../case/verdict.js';
import { shorten, showReply } from '../case/wire-rules.js';
import { NoAnswer, type Exchange } from '../harness/exchange.js';
import { newExecution } from '../harness/runner-client.js';
import { valueFaults } from '../inputs/json-schema-check.js';
import { spoilInput } from '../inputs/spoil-input.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const OVERSIZED_BYTES = 5 * 1024 * 1024;

const isClientError = ({ status }: Exchange): boolean => status >= 400 && status < 500;

async function answersValidInput(context: CaseContext): Promise<void> {
  const { capability, input } = context.subject();
  const exchange = await context.runner.client.execute(newExecution(capability.id, input));
  mustKeepRule('execute.answers-valid-input', exchange);
  const refused = exchange.reply?.error?.category === 'VALIDATION_ERROR';
  mustReply(
    !refused,
    `no VALIDATION_ERROR for an input that the schema of ${capability.id} accepts`,
    exchange,
  );
  if (capability.id === 'conformance.echo') mustReply(exchange.reply?.success, 'success=true', exchange);
}

async function returnsDeclaredOutput(context: CaseContext): Promise<void> {
  let last: Exchange | undefined;
  let succeeded = 0;
  for (const { capability, input } of context.subjects().slice(0, 10)) {
    const exchange = await context.runner.client.execute(newExecution(capability.id, input));
    last = exchange;
    if (!exchange.reply?.success) continue;
    succeeded += 1;
    mustReply(exchange.status === 200, 'status 200 for success=true', exchange);
    const faults = valueFaults(capability.outputSchema, exchange.reply.data);
    mustReply(
      faults.length === 0,
      `data that matches the output schema of ${capability.id} (${faults.slice(0, 3).join('; ')})`,
      exchange,
    );
  }
  if (succeeded === 0) {
    throw new NotEvaluable(
      `no capability succeeded with the input made from its schema (${last ? showReply(last) : 'none was called'}); give an input that works: --input 'ID={…}'`,
    );
  }
}

async function keepsIds(context: CaseContext): Promise<void> {
  const { capability, input } = context.subject();
  const body = newExecution(capability.id, input);
  const exchange = await context.runner.client.execute(body);
  mustReply(exchange.reply?.jobId === body.jobId, `jobId ${body.jobId}`, exchange);
}

async function keepsTextIntact(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.echo');
  const text = 'ä ß € 漢字 🚀 "quoted" \\ \u2028 tab\t nul-free';
  const exchange = await context.runner.client.execute(newExecution(id, { text }));
  mustReply(memberOf(exchange.reply?.data, 'text') === text, `data.text ${JSON.stringify(text)}`, exchange);
}

/** Under the inline limit of 256 KB, with room for the rest of the message. */
const BIG_BYTES = 200_000;

async function returnsBigOutput(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.big');
  const exchange = await context.runner.client.execute(newExecution(id, { bytes: BIG_BYTES }));
  const text = memberOf(exchange.reply?.data, 'text');
  must(typeof text === 'string' && text.length === BIG_BYTES, {
    expected: `data.text of ${BIG_BYTES} characters`,
    actual:
      typeof text === 'string'
        ? `${text.length} characters`
        : showReply({ status: exchange.status, text: shorten(exchange.text) }),
    exchange: { ...exchange, text: shorten(exchange.text) },
  });
}

async function rejectsInvalidInput(context: CaseContext): Promise<void> {
  let tried = 0;
  for (const { capability, input } of context.subjects().slice(0, 10)) {
    const spoiled = spoilInput(capability.inputSchema, input);
    if (!spoiled) continue;
    tried += 1;
    const exchange = await context.runner.client.execute(newExecution(capability.id, spoiled.payload));
    const { reply } = exchange;
    must(reply?.success === false && reply.error?.category === 'VALIDATION_ERROR' && !reply.error.retryable, {
      expected: 'success=false, error.category=VALIDATION_ERROR, error.retryable=false',
      actual: reply
        ? `success=${reply.success}${reply.error ? `, error.category=${reply.error.category}, error.retryable=${reply.error.retryable}` : ''}`
        : showReply(exchange),
      exchange,
    });
  }
  if (tried === 0) throw new NotApplicable('the input schemas accept any object');
}

async function rejectsUnknownCapability({ runner }: CaseContext): Promise<void> {
  const exchange = await runner.client.execute(newExecution('kit.no-such-capability', {}));
  mustReply(
    exchange.status >= 400 && exchange.reply?.success === false,
    'success=false and a status of 400 or more',
    exchange,
  );
}

async function rejectsMalformedJson({ runner }: CaseContext): Promise<void> {
  const exchange = await runner.client.send({
    method: 'POST',
    url: runner.urls.execute,
    headers: JSON_TYPE,
    body: '{"jobId": "half',
  });
  mustReply(isClientError(exchange), 'a 4xx status', exchange);
  await mustStillAnswer(runner.client, 'a body that is not JSON');
}

async function rejectsMalformedRequest({ runner }: CaseContext): Promise<void> {
  for (const body of [
    '[]',
    '{}',
    '"text"',
    '{"jobId":"kit-1","moduleId":"m","capabilityId":7,"payload":"text"}',
  ]) {
    const exchange = await runner.client.send({
      method: 'POST',
      url: runner.urls.execute,
      headers: JSON_TYPE,
      body,
    });
    mustReply(
      exchange.status >= 400 && memberOf(exchange.json, 'success') !== true,
      'a status of 400 or more',
      exchange,
    );
  }
  await mustStillAnswer(runner.client, 'requests that are none');
}

async function toleratesUnknownFields(context: CaseContext): Promise<void> {
  const { capability, input } = context.subject();
  const changes = { kitFutureMember: { nested: [1] }, metadata: { kitFutureMember: 'ignore me' } };
  const plain = await context.runner.client.execute(newExecution(capability.id, input));
  const exchange = await context.runner.client.execute(newExecution(capability.id, input, changes));
  const outcome = ({
    success,
    error,
  }: { success?: boolean; error?: { code: string } | undefined } = {}): string =>
    `success=${success}${error ? ` ${error.code}` : ''}`;
  const expected = outcome(plain.reply);
  mustReply(
    exchange.reply && outcome(exchange.reply) === expected,
    `the same as without the unknown members: ${expected}`,
    exchange,
  );
}

async function survivesOversizedBody({ runner }: CaseContext): Promise<void> {
  const body = JSON.stringify(newExecution('kit.no-such-capability', { text: 'x'.repeat(OVERSIZED_BYTES) }));
  const request = { method: 'POST', url: runner.urls.execute, headers: JSON_TYPE, body };
  try {
    const exchange = await runner.client.send(request);
    // The runner does not offer the capability: 404 would mean that it read the whole body.
    const refused = isClientError(exchange) && exchange.status !== 404;
    const { status, text } = exchange;
    must(refused, {
      sent: 'POST /execute with a body of 5 MB',
      expected: 'a refusal for the size: 413 or another 4xx status than 404, or a closed connection',
      actual: showReply({ status, text: shorten(text) }),
    });
  } catch (error) {
    // A connection that the runner closes while it is being written to is a refusal too.
    if (!(error instanceof NoAnswer)) throw error;
  }
  await mustStillAnswer(runner.client, 'a body of 5 MB');
}

export const executeCases: readonly Case[] = [
  { id: 'execute.answers-valid-input', judge: answersValidInput },
  { id: 'execute.returns-declared-output', judge: returnsDeclaredOutput },
  { id: 'execute.keeps-ids', judge: keepsIds },
  { id: 'execute.keeps-text-intact', judge: keepsTextIntact },
  { id: 'execute.returns-big-output', judge: returnsBigOutput },
  { id: 'execute.rejects-invalid-input', judge: rejectsInvalidInput },
  { id: 'execute.rejects-unknown-capability', judge: rejectsUnknownCapability },
  { id: 'execute.rejects-malformed-json', judge: rejectsMalformedJson },
  { id: 'execute.rejects-malformed-request', judge: rejectsMalformedRequest },
  { id: 'execute.tolerates-unknown-fields', judge: toleratesUnknownFields },
  { id: 'execute.survives-oversized-body', judge: survivesOversizedBody },
];
