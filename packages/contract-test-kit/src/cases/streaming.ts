import type { Case, CaseContext } from '../case/case.js';
import { must, mustKeepRule, mustReply } from '../case/expect.js';
import { NotApplicable } from '../case/verdict.js';
import { pause } from '../harness/pause.js';
import type { WIRE_RULES } from '../case/wire-rules.js';
import { shorten, showReply } from '../case/wire-rules.js';
import { newExecution, terminalOf, type ExecutionExchange } from '../harness/runner-client.js';
import { spoilInput } from '../inputs/spoil-input.js';

const OFFER_MS = 5_000;
const LAST_SLEEP_MS = 4_000;
/** The second for a machine that is busy with something else: who gathers events gathers them however long it takes. */
const SLEEPS_MS = [600, LAST_SLEEP_MS] as const;

async function streamSubject(context: CaseContext): Promise<ExecutionExchange> {
  const { capability, input } = context.subject();
  return context.runner.client.stream(newExecution(capability.id, input)).done;
}

function mustBeStreamed(exchange: ExecutionExchange): void {
  mustReply(exchange.status === 200 && exchange.events.length > 0, '200 and a stream of events', exchange);
}

/** A case that streams one execution and looks at what every stream must keep. */
const keepsRule = (id: Extract<keyof typeof WIRE_RULES, `streaming.${string}`>): Case => ({
  id,
  judge: async (context) => {
    const exchange = await streamSubject(context);
    mustBeStreamed(exchange);
    mustKeepRule(id, exchange);
  },
});

async function acceptedFirst(context: CaseContext): Promise<void> {
  const exchange = await streamSubject(context);
  mustBeStreamed(exchange);
  mustKeepRule('streaming.accepted-first', exchange);
  const [first] = exchange.events;
  mustReply(first?.event.type === 'accepted', 'accepted as the first event', exchange);
  must(first.afterMs < OFFER_MS, {
    expected: `accepted within ${OFFER_MS} ms`,
    actual: `${Math.round(first.afterMs)} ms`,
    exchange,
  });
}

async function asItHappens(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.sleep');
  for (const ms of SLEEPS_MS) {
    const exchange = await context.runner.client.stream(newExecution(id, { ms })).done;
    mustBeStreamed(exchange);
    const arrivals = exchange.events
      .map(({ event, afterMs }) => `${event.type} after ${Math.round(afterMs)} ms`)
      .join(', ');
    const gap = (exchange.events.at(-1)?.afterMs ?? 0) - (exchange.events[0]?.afterMs ?? 0);
    if (gap > ms / 2) return;
    must(ms < LAST_SLEEP_MS, {
      expected: `accepted well before the end of an execution of ${ms} ms`,
      actual: arrivals,
      exchange,
    });
  }
}

async function reportsProgress(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.progress');
  const exchange = await context.runner.client.stream(newExecution(id, { steps: 4 })).done;
  const fractions = exchange.events.flatMap(({ event }) =>
    event.type === 'progress' ? [event.fraction] : [],
  );
  const rising = fractions.every((fraction, index) => fraction >= (fractions[index - 1] ?? 0));
  must(fractions.length > 0 && rising && terminalOf(exchange)?.type === 'succeeded', {
    expected: 'progress events whose fraction never falls, then succeeded',
    actual:
      fractions.length === 0
        ? `no progress event: ${showReply(exchange)}`
        : `fractions ${fractions.join(', ')}, then ${terminalOf(exchange)?.type}`,
    exchange,
  });
}

async function logsBeforeTheEnd(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.logs');
  const lines = 20;
  const exchange = await context.runner.client.stream(newExecution(id, { lines })).done;
  const messages = exchange.events.flatMap(({ event }) => (event.type === 'log' ? [event.message] : []));
  const expected = Array.from({ length: lines }, (_, index) => `line ${index}`);
  must(JSON.stringify(messages) === JSON.stringify(expected), {
    expected: 'log events "line 0" to "line 19", in order',
    actual: `${messages.length} log events: ${shorten(messages.join(', '))}`,
    exchange,
  });
  const last = exchange.events.at(-1)?.event.type;
  must(last === 'succeeded', { expected: 'succeeded after the last log event', actual: `${last}`, exchange });
}

async function refusalComesFirst(context: CaseContext): Promise<void> {
  const { client } = context.runner;
  const unknown = await client.stream(newExecution('kit.no-such-capability', {})).done;
  const { capability, input } = context.subject();
  const spoiled = spoilInput(capability.inputSchema, input);
  const invalid = spoiled ? [await client.stream(newExecution(capability.id, spoiled.payload)).done] : [];
  for (const exchange of [unknown, ...invalid]) {
    const [only] = exchange.events;
    mustReply(
      exchange.events.length === 1 && only?.event.type === 'failed' && only.event.seq === 0,
      'one failed event with seq 0',
      exchange,
    );
  }
}

/** Waits until the runner's clock shows another time: some write whole seconds. */
async function tick({ signal }: CaseContext, { events }: ExecutionExchange): Promise<void> {
  const isFine = events.some(({ event }) => /\.\d*[1-9]/.test(event.at));
  await pause(isFine ? 5 : 1_100, signal);
}

async function repeatedDelivery(context: CaseContext): Promise<void> {
  const { capability, input } = context.subject();
  const body = newExecution(capability.id, input);
  const first = await context.runner.client.stream(body).done;
  mustBeStreamed(first);
  await tick(context, first);
  const second = await context.runner.client.stream(body).done;
  const [before, after] = [terminalOf(first), terminalOf(second)];
  // A second run would end at another time.
  must(before && after && before.at === after.at && before.type === after.type && before.seq === after.seq, {
    expected: `the terminal event of the first delivery: ${shorten(JSON.stringify(before))}`,
    actual: after ? shorten(JSON.stringify(after)) : showReply(second),
    exchange: second,
  });
}

async function survivesDisconnect(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.sleep');
  const body = newExecution(id, { ms: 500 });
  const cut = await context.runner.client.stream(body, { stopAfter: 1 }).done;
  mustBeStreamed(cut);
  await tick(context, cut);
  const rest = await context.runner.client.stream(body).done;
  mustReply(
    terminalOf(rest)?.type === 'succeeded',
    'succeeded, after the connection was closed and the execution sent again',
    rest,
  );
  const [accepted] = rest.events;
  must(accepted?.event.at === cut.events[0]?.event.at, {
    expected: 'the same execution: accepted at the same time',
    actual: `accepted at ${accepted?.event.at}, first at ${cut.events[0]?.event.at}`,
    exchange: rest,
  });
}

async function batchAnswersEach(context: CaseContext): Promise<void> {
  const { capability, input } = context.subject();
  const bodies = [
    newExecution(capability.id, input),
    newExecution(capability.id, input),
    newExecution(capability.id, input),
  ];
  const exchange = await context.runner.client.batch(bodies);
  for (const { executionId } of bodies) {
    const ends = exchange.events.filter(
      ({ event }) =>
        event.executionId === executionId && ['succeeded', 'failed', 'cancelled'].includes(event.type),
    );
    must(ends.length === 1, {
      expected: `one terminal event for each of 3 executions`,
      actual: `${ends.length} for ${executionId}: ${showReply(exchange)}`,
      exchange,
    });
  }
}

async function batchIsolatesBadLine(context: CaseContext): Promise<void> {
  const { capability, input } = context.subject();
  const good = newExecution(capability.id, input);
  const bad = `kit-execution-bad-${good.executionId}`;
  const exchange = await context.runner.client.batch([
    JSON.stringify({ executionId: bad, capabilityId: 7 }),
    good,
  ]);
  const endOf = (id: string) =>
    exchange.events.find(({ event }) => event.executionId === id && event.type !== 'accepted')?.event;
  const goodEnd = endOf(good.executionId);
  mustReply(
    goodEnd && !(goodEnd.type === 'failed' && goodEnd.error.category === 'VALIDATION_ERROR'),
    'the good line to run',
    exchange,
  );
  const badEnd = endOf(bad);
  mustReply(
    badEnd?.type === 'failed' && badEnd.error.category === 'VALIDATION_ERROR',
    'failed with VALIDATION_ERROR for the bad line',
    exchange,
  );
}

/** A batch needs as many slots as it has lines. */
const withSlots =
  (judge: Case['judge'], slots: number): Case['judge'] =>
  async (context) => {
    const { capability } = context.subject();
    if (Math.min(capability.maxConcurrency, context.runner.description.maxConcurrency ?? slots) < slots)
      throw new NotApplicable(`the runner declares fewer than ${slots} slots`);
    await judge(context);
  };

export const streamingCases: readonly Case[] = [
  keepsRule('streaming.one-event-a-line'),
  { id: 'streaming.accepted-first', judge: acceptedFirst },
  keepsRule('streaming.seq-rises-by-one'),
  keepsRule('streaming.one-terminal-event'),
  keepsRule('streaming.names-its-execution'),
  { id: 'streaming.as-it-happens', judge: asItHappens },
  { id: 'streaming.reports-progress', judge: reportsProgress },
  { id: 'streaming.logs-before-the-end', judge: logsBeforeTheEnd },
  { id: 'streaming.refusal-comes-first', judge: refusalComesFirst },
  { id: 'streaming.repeated-delivery-runs-once', judge: repeatedDelivery },
  { id: 'streaming.survives-disconnect', judge: survivesDisconnect },
  { id: 'streaming.batch-answers-each', alone: true, judge: withSlots(batchAnswersEach, 3) },
  { id: 'streaming.batch-isolates-a-bad-line', judge: batchIsolatesBadLine },
];
