import type { Case, CaseContext } from '../case/case.js';
import { must, mustReply } from '../case/expect.js';
import { NotApplicable, NotEvaluable } from '../case/verdict.js';
import { newExecution, terminalOf, type ExecutionExchange } from '../harness/runner-client.js';

const LOGS = 'conformance.logs';
/** More than a megabyte together, in pieces that are small. */
const LINES = 600;
const LINE_TEXT = '.'.repeat(2_400);
/** Of four bytes in UTF-8 and two units in UTF-16: 120 KB, which is more than an event carries. */
const WIDE = '\u{1F600}'.repeat(30_000);

async function logsOf(
  context: CaseContext,
  payload: { readonly lines: number; readonly text: string },
): Promise<{ readonly exchange: ExecutionExchange; readonly messages: readonly string[] }> {
  const { id, inputSchema } = context.fixture(LOGS);
  const { properties } = inputSchema as { readonly properties?: Readonly<Record<string, unknown>> };
  if (!properties || !('text' in properties))
    throw new NotEvaluable(`the ${LOGS} of the runner takes no text: copy the fixtures anew`);
  const exchange = await context.runner.client.stream(newExecution(id, payload)).done;
  const messages = exchange.events.flatMap(({ event }) => (event.type === 'log' ? [event.message] : []));
  // The text would fill a report.
  return { exchange: { ...exchange, text: '', lines: [] }, messages };
}

async function countsWhatItDrops(context: CaseContext): Promise<void> {
  const { exchange, messages } = await logsOf(context, { lines: LINES, text: LINE_TEXT });
  const end = terminalOf(exchange);
  mustReply(end?.type === 'succeeded', 'succeeded, however much is logged', exchange);
  const numbers = messages.map((message) => Number(/^line (\d+)/.exec(message)?.[1]));
  const rise = numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? -1));
  must(rise && numbers[0] === 0 && numbers.at(-1) === LINES - 1, {
    expected: `lines in order, from line 0 to line ${LINES - 1}: the middle is what may be left out`,
    actual: `${numbers.length} lines, from ${numbers[0]} to ${numbers.at(-1)}`,
    exchange,
  });
  const missing = LINES - numbers.length;
  must((end.droppedEvents ?? 0) === missing, {
    expected: `droppedEvents ${missing} in the terminal event: ${numbers.length} of ${LINES} log events came`,
    actual: `droppedEvents ${end.droppedEvents ?? '(none)'}`,
    exchange,
  });
}

async function keepsCharactersWhole(context: CaseContext): Promise<void> {
  // Begun at each place within a character: wherever a text is cut, one of them is in the way.
  for (const before of ['', '.', '..', '...']) {
    const text = before + WIDE;
    const { exchange, messages } = await logsOf(context, { lines: 1, text });
    mustReply(messages.length > 0 && terminalOf(exchange)?.type === 'succeeded', 'a log event', exchange);
    const broken = messages.some((message) => /\uFFFD|\p{Cs}/u.test(message));
    must(!broken, {
      sent: `a log event of ${Buffer.byteLength(text)} bytes, of characters of four bytes`,
      expected: 'text that is whole, or cut between characters',
      actual: 'a piece of a character',
      exchange,
    });
  }
}

async function carriesCheckpoints(context: CaseContext): Promise<void> {
  const offered = context.runner.description.capabilities.find(({ id }) => id === 'conformance.checkpoint');
  if (!offered) throw new NotApplicable('the runner does not offer conformance.checkpoint');
  const checkpoint = { step: 'kit-1' };
  const body = newExecution(offered.id, { step: 'kit-2' }, { checkpoint });
  const exchange = await context.runner.client.stream(body).done;
  const told = exchange.events.flatMap(({ event }) => (event.type === 'checkpoint' ? [event.data] : []));
  must(JSON.stringify(told) === '[{"step":"kit-2"}]', {
    expected: 'a checkpoint event with what the capability said',
    actual: JSON.stringify(told),
    exchange,
  });
  const end = terminalOf(exchange);
  const before = end?.type === 'succeeded' ? (Object(end.data) as { readonly before?: unknown }).before : end;
  must(before === 'kit-1', {
    expected: 'the checkpoint of the request in the hands of the capability',
    actual: JSON.stringify(before) ?? 'none',
    exchange,
  });
}

export const longLogCases: readonly Case[] = [
  { id: 'streaming.counts-dropped-logs', judge: countsWhatItDrops },
  { id: 'streaming.keeps-characters-whole', judge: keepsCharactersWhole },
  { id: 'streaming.carries-checkpoints', judge: carriesCheckpoints },
];
