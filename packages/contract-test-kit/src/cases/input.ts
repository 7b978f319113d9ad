import type { Case, CaseContext } from '../case/case.js';
import { memberOf, must, mustReply, mustStillAnswer } from '../case/expect.js';
import { NotApplicable } from '../case/verdict.js';
import { NoAnswer, type Exchange } from '../harness/exchange.js';
import { newExecution } from '../harness/runner-client.js';
import { valueFaults } from '../inputs/json-schema-check.js';

const LONG_TEXT = 200 * 1024;
const DEPTH = 20_000;

const post = ({ runner }: CaseContext, body: string, contentType = 'application/json'): Promise<Exchange> =>
  runner.client.send({
    method: 'POST',
    url: runner.client.urls.execute,
    headers: { 'content-type': contentType, accept: 'application/json' },
    body,
  });

const isSuccess = ({ json }: Exchange): boolean => memberOf(json, 'success') === true;

async function acceptsMinimalRequest(context: CaseContext): Promise<void> {
  const { capability, input } = context.subject();
  const full = await context.runner.client.execute(newExecution(capability.id, input));
  const { jobId, moduleId, capabilityId, payload } = newExecution(capability.id, input);
  const exchange = await post(context, JSON.stringify({ jobId, moduleId, capabilityId, payload }));
  mustReply(
    isSuccess(exchange) === (full.reply?.success === true),
    `success=${full.reply?.success}, as with every member`,
    exchange,
  );
}

/** Sends a text through conformance.echo and expects it back. */
const echoes =
  (text: string, shown: string): Case['judge'] =>
  async (context) => {
    const { id } = context.fixture('conformance.echo');
    const exchange = await context.runner.client.execute(newExecution(id, { text }));
    const back = memberOf(exchange.reply?.data, 'text');
    must(back === text, {
      sent: `conformance.echo with ${shown}`,
      expected: 'the same text in data',
      actual: typeof back === 'string' ? `a text of ${back.length} characters` : `HTTP ${exchange.status}`,
    });
  };

async function rejectsOtherPayloads(context: CaseContext): Promise<void> {
  const { capability } = context.subject();
  for (const payload of [[], null, 7, 'text']) {
    const exchange = await post(context, JSON.stringify(newExecution(capability.id, payload)));
    mustReply(
      exchange.status >= 400 && !isSuccess(exchange),
      'a status of 400 or more, never success',
      exchange,
    );
  }
}

async function rejectsBadIds(context: CaseContext): Promise<void> {
  const { capability, input } = context.subject();
  for (const executionId of ['../../etc/passwd', 'a b', 'x'.repeat(129), '']) {
    const exchange = await post(context, JSON.stringify(newExecution(capability.id, input, { executionId })));
    mustReply(
      exchange.status >= 400 && !isSuccess(exchange),
      'a status of 400 or more, never success',
      exchange,
    );
  }
}

async function survivesDeepJson(context: CaseContext): Promise<void> {
  const { capability, input } = context.subject();
  const deep = '['.repeat(DEPTH) + ']'.repeat(DEPTH);
  const body = JSON.stringify(newExecution(capability.id, { ...input, kitDeep: 'DEEP' })).replace(
    '"DEEP"',
    deep,
  );
  await post(context, body).catch((error: unknown) => {
    // What is as deep as this may be refused in any way but by an end.
    if (!(error instanceof NoAnswer)) throw error;
  });
  await mustStillAnswer(context.runner.client, `a payload of ${DEPTH} nested arrays`);
}

async function ignoresPrototypeMembers(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.echo');
  for (const payload of [
    '{"text":"a","__proto__":{"text":"b"}}',
    '{"text":"a","constructor":{"prototype":{"text":"b"}}}',
  ]) {
    await post(context, JSON.stringify(newExecution(id, 'PAYLOAD')).replace('"PAYLOAD"', payload));
  }
  const exchange = await context.runner.client.execute(newExecution(id, {}));
  mustReply(!exchange.reply?.success, 'an empty input refused as before', exchange);
}

async function refusesFormBodies(context: CaseContext): Promise<void> {
  const { capability, input } = context.subject();
  for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
    const exchange = await post(context, JSON.stringify(newExecution(capability.id, input)), type);
    mustReply(exchange.status === 415, `415 for content-type ${type}`, exchange);
  }
}

async function namesMissingMember(context: CaseContext): Promise<void> {
  const { capability, input } = context.subject();
  const member = Object.keys(input).find((name) => {
    const { [name]: _, ...rest } = input;
    return valueFaults(capability.inputSchema, rest).length > 0;
  });
  if (member === undefined) throw new NotApplicable('the input schema of the capability requires no member');
  const { [member]: _, ...rest } = input;
  const exchange = await context.runner.client.execute(newExecution(capability.id, rest));
  const details = exchange.reply?.error?.details ?? [];
  mustReply(
    details.some(({ path }) => path?.includes(member)),
    `a detail whose path contains "${member}", which is missing`,
    exchange,
  );
}

async function carriesFreshIds({ runner }: CaseContext): Promise<void> {
  const [first, second] = [
    await runner.client.execute(newExecution('kit.no-such-capability', {})),
    await runner.client.execute(newExecution('kit.no-such-capability', {})),
  ];
  const [before, after] = [first.reply?.error, second.reply?.error];
  mustReply(before, 'an ErrorEnvelope', first);
  mustReply(after && after.id !== before.id, 'an error with an id of its own', second);
}

async function runsEachExecutionOfAJob(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.echo');
  const first = newExecution(id, { text: 'first attempt' });
  const second = newExecution(id, { text: 'second attempt' }, { jobId: first.jobId, attempt: 2 });
  await context.runner.client.execute(first);
  const exchange = await context.runner.client.execute(second);
  mustReply(
    memberOf(exchange.reply?.data, 'text') === 'second attempt',
    'data.text "second attempt": another execution of the same job',
    exchange,
  );
}

/** How long the work is whose time must be told. */
const WORK_MS = 600;

async function reportsItsTime(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.sleep');
  const exchange = await context.runner.client.execute(newExecution(id, { ms: WORK_MS }));
  mustReply(exchange.reply?.success, 'success=true', exchange);
  const told = exchange.reply.executionTimeMs;
  // Timers may fire a little early, and clocks be coarse; the time on the wire comes on top.
  must(told >= WORK_MS * 0.8 && told <= exchange.durationMs + 100, {
    expected: `executionTimeMs of the work, which took ${WORK_MS} ms, and no more than the exchange`,
    actual: `executionTimeMs ${told} in an exchange of ${Math.round(exchange.durationMs)} ms`,
    exchange,
  });
}

export const inputCases: readonly Case[] = [
  { id: 'execute.accepts-minimal-request', judge: acceptsMinimalRequest },
  { id: 'execute.keeps-empty-text', judge: echoes('', 'an empty text') },
  {
    id: 'execute.keeps-long-text',
    judge: echoes('0123456789abcdef'.repeat(LONG_TEXT / 16), 'a text of 200 KB'),
  },
  {
    id: 'execute.keeps-escaped-characters',
    judge: echoes('\u0001\b\f\n\r\t\u001f\u007f"\\/', 'control characters, quotes and backslashes'),
  },
  { id: 'execute.rejects-other-payloads', judge: rejectsOtherPayloads },
  { id: 'execute.runs-each-execution-of-a-job', judge: runsEachExecutionOfAJob },
  { id: 'execute.reports-its-time', judge: reportsItsTime },
  { id: 'errors.names-the-missing-member', judge: namesMissingMember },
  { id: 'errors.carries-fresh-ids', judge: carriesFreshIds },
  { id: 'resilience.survives-deep-json', judge: survivesDeepJson },
  { id: 'security.rejects-bad-ids', judge: rejectsBadIds },
  { id: 'security.ignores-prototype-members', judge: ignoresPrototypeMembers },
  { id: 'security.refuses-form-bodies', judge: refusesFormBodies },
];
