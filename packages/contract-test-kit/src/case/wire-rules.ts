import { ExecutionEvent, isTerminalEvent, NDJSON, RunnerExecutionResponse } from '@controlplane/contracts';
import type { Exchange } from '../harness/exchange.js';
import type { ExecutionExchange } from '../harness/runner-client.js';
import { REPLY_RULES } from './reply-rules.js';
import type { Finding } from './verdict.js';

/** A requirement that every exchange must keep, whichever case made it. */
export interface WireRule {
  readonly id: string;
  /** What the exchange shows against the requirement; undefined when it keeps it, or does not concern it. */
  readonly check: (exchange: Exchange | ExecutionExchange) => Finding | undefined;
}

const MAX_SHOWN = 300;

/** Text as a report shows it: on one line and not for ever. */
export function shorten(text: string): string {
  const line = text.replaceAll(/\s*\n\s*/g, ' ⏎ ').trim();
  return line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}… (${line.length} characters)` : line;
}

/** A reply in one line. */
export function showReply({ status, text }: Pick<Exchange, 'status' | 'text'>): string {
  return `HTTP ${status} ${text.trim() === '' ? '(no body)' : shorten(text)}`;
}

function isStream(exchange: Exchange | ExecutionExchange): exchange is ExecutionExchange {
  return 'form' in exchange && exchange.form !== 'json' && exchange.status === 200;
}

/** Events of each execution that an exchange is about. */
function byExecution(exchange: ExecutionExchange): Map<string, ExecutionEvent[]> {
  const sorted = new Map<string, ExecutionEvent[]>(exchange.sent.map(({ executionId }) => [executionId, []]));
  for (const { event } of exchange.events) sorted.get(event.executionId)?.push(event);
  return sorted;
}

/** Checks the events of each execution of a stream. */
function eachExecution(
  check: (events: readonly ExecutionEvent[], cut: boolean) => Omit<Finding, 'exchange'> | undefined,
): WireRule['check'] {
  return (exchange) => {
    if (!isStream(exchange)) return undefined;
    for (const events of byExecution(exchange).values()) {
      const finding = check(events, exchange.cut);
      if (finding) return { ...finding, exchange };
    }
    return undefined;
  };
}

const showTypes = (events: readonly ExecutionEvent[]): string =>
  events.length === 0 ? 'no event' : events.map(({ type, seq }) => `${type}#${seq}`).join(' ');

function checkReply(exchange: Exchange | ExecutionExchange): Finding | undefined {
  if (!('form' in exchange) || exchange.form !== 'json') return undefined;
  const parsed = RunnerExecutionResponse.safeParse(exchange.json);
  const faults = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join('.') || '(body)'}: ${issue.message}`);
  if (parsed.success && !parsed.data.success && !parsed.data.error)
    faults.push('error: missing where success is false');
  return faults.length === 0
    ? undefined
    : {
        expected: 'a RunnerExecutionResponse, with an error where success is false',
        actual: `${showReply(exchange)} (${faults.slice(0, 3).join('; ')})`,
        exchange,
      };
}

function checkJobId(exchange: Exchange | ExecutionExchange): Finding | undefined {
  if (!('form' in exchange)) return undefined;
  const [sent] = exchange.sent;
  const jobId = exchange.reply?.jobId;
  if (!sent || jobId === undefined || jobId === sent.jobId) return undefined;
  return { expected: `jobId ${sent.jobId}`, actual: `jobId ${jobId}`, exchange };
}

function checkLines(exchange: Exchange | ExecutionExchange): Finding | undefined {
  if (!isStream(exchange)) return undefined;
  const type = exchange.headers['content-type'] ?? '(none)';
  if (!type.startsWith(NDJSON))
    return { expected: `content-type ${NDJSON}`, actual: `content-type ${type}`, exchange };
  // A connection that the kit closed may have cut the last line in two.
  const complete = exchange.cut ? exchange.lines.slice(0, -1) : exchange.lines;
  for (const { text } of complete) {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return { expected: 'one JSON document a line', actual: shorten(text), exchange };
    }
    const parsed = ExecutionEvent.safeParse(value);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      return {
        expected: 'every line an ExecutionEvent',
        actual: `${shorten(text)} (${issue?.path.join('.')}: ${issue?.message})`,
        exchange,
      };
    }
  }
  return undefined;
}

function checkNames(exchange: Exchange | ExecutionExchange): Finding | undefined {
  if (!isStream(exchange) || exchange.sent.length === 0 || exchange.form === 'batch') return undefined;
  const wanted = exchange.sent[0]?.executionId;
  const stray = exchange.events.find(({ event }) => event.executionId !== wanted);
  return (
    stray && {
      expected: `executionId ${wanted}`,
      actual: `executionId ${stray.event.executionId} in a ${stray.event.type} event`,
      exchange,
    }
  );
}

/** The rules, by the id of their requirement. */
export const WIRE_RULES = {
  'execute.answers-valid-input': { id: 'execute.answers-valid-input', check: checkReply },
  'execute.keeps-ids': { id: 'execute.keeps-ids', check: checkJobId },
  'streaming.one-event-a-line': { id: 'streaming.one-event-a-line', check: checkLines },
  'streaming.names-its-execution': { id: 'streaming.names-its-execution', check: checkNames },
  'streaming.seq-rises-by-one': {
    id: 'streaming.seq-rises-by-one',
    check: eachExecution((events) => {
      const wrong = events.findIndex((event, index) => event.seq !== index);
      return wrong < 0 ? undefined : { expected: 'seq 0, 1, 2, …', actual: showTypes(events) };
    }),
  },
  'streaming.accepted-first': {
    id: 'streaming.accepted-first',
    check: eachExecution((events) => {
      const [first] = events;
      const refused = first?.type === 'failed' && events.length === 1;
      return !first || first.type === 'accepted' || refused
        ? undefined
        : { expected: 'accepted, or a refusal alone', actual: showTypes(events) };
    }),
  },
  'streaming.one-terminal-event': {
    id: 'streaming.one-terminal-event',
    check: eachExecution((events, cut) => {
      const ends = events.filter(isTerminalEvent);
      const last = events.at(-1);
      if (cut && ends.length === 0) return undefined;
      return ends.length === 1 && last && isTerminalEvent(last)
        ? undefined
        : { expected: 'exactly one terminal event, and it is the last', actual: showTypes(events) };
    }),
  },
  'streaming.ends-with-newline': {
    id: 'streaming.ends-with-newline',
    check: (exchange: Exchange | ExecutionExchange): Finding | undefined =>
      !isStream(exchange) || exchange.cut || exchange.text === '' || exchange.text.endsWith('\n')
        ? undefined
        : {
            expected: 'a newline after the last event',
            actual: `a stream that ends with ${JSON.stringify(exchange.text.slice(-20))}`,
            exchange,
          },
  },
  'streaming.times-rise': {
    id: 'streaming.times-rise',
    check: eachExecution((events) => {
      const early = events.findIndex(
        ({ at }, index) => Date.parse(at) < Date.parse(events[index - 1]?.at ?? at),
      );
      return early < 0
        ? undefined
        : {
            expected: 'times that never fall',
            actual: `${events[early]?.type} at ${events[early]?.at}, after ${events[early - 1]?.type} at ${events[early - 1]?.at}`,
          };
    }),
  },
  ...REPLY_RULES,
} as const satisfies Readonly<Record<string, WireRule>>;
