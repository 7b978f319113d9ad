/** The fixture capabilities and one of the runner's own, as it publishes them, and what each does. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

export const SLOTS = 8;

const object = (properties, required = Object.keys(properties)) => ({ type: 'object', properties, required });

const capability = (id, inputSchema, outputSchema) => ({
  id,
  name: id,
  version: '1.0.0',
  description: `Fixture ${id}`,
  inputSchema,
  outputSchema,
  supportedJobTypes: [],
  maxConcurrency: SLOTS,
  timeoutMs: 60_000,
  effects: 'none',
});

const text = { type: 'string' };
const whole = { type: 'integer', minimum: 0 };

export const CAPABILITIES = [
  capability('conformance.echo', object({ text }), object({ text })),
  capability('conformance.sleep', object({ ms: whole }), object({ sleptMs: whole })),
  capability(
    'conformance.fail',
    object({ code: text, message: text, retryable: { type: 'boolean' } }),
    object({}),
  ),
  capability('conformance.progress', object({ steps: whole }), object({ steps: whole })),
  capability('conformance.logs', object({ lines: whole, text }, ['lines']), object({ lines: whole })),
  capability('conformance.checkpoint', object({ step: text }), object({ before: text }, [])),
  capability('conformance.stubborn', object({ ms: whole }), object({ sleptMs: whole })),
  capability('conformance.block', object({ ms: whole }), object({ blockedMs: whole })),
  capability('conformance.crash', object({}), object({})),
  capability('conformance.big', object({ bytes: whole }), object({ text })),
  capability(
    'text.repeat',
    object({ text: { ...text, maxLength: 40 }, times: { type: 'integer', minimum: 1, maximum: 5 } }),
    object({ text }),
  ),
];

export const isOffered = (id) => CAPABILITIES.some((one) => one.id === id);

const TYPES = {
  string: (value, { maxLength = Number.POSITIVE_INFINITY }) =>
    typeof value === 'string' && Array.from(value).length <= maxLength,
  integer: (value, { minimum, maximum = Number.POSITIVE_INFINITY }) =>
    Number.isInteger(value) && value >= minimum && value <= maximum,
  boolean: (value) => typeof value === 'boolean',
};

/** The rule of a member as it is kept: a careless runner knows another limit than the one it publishes. */
function ruleOf(rule, broken) {
  if (broken('execute.accepts-what-its-schema-accepts') && rule.maxLength) return { ...rule, maxLength: 10 };
  if (broken('execute.refuses-what-its-schema-refuses')) return { ...rule, maximum: undefined };
  return rule;
}

/** What is wrong with an input: a detail for each member. */
export function inputFaults({ inputSchema }, input, broken) {
  if (typeof input !== 'object' || input === null)
    return [{ path: ['input'], message: 'expected an object' }];
  return Object.entries(inputSchema.properties).flatMap(([name, rule]) =>
    (input[name] === undefined && !inputSchema.required.includes(name)) ||
    TYPES[rule.type](input[name], ruleOf(rule, broken))
      ? []
      : [{ path: ['input', name], message: `expected ${rule.type}`, code: 'invalid_type' }],
  );
}

/** Blocks the thread: nothing else runs meanwhile. */
function block(ms) {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** Blocks a thread of its own, which leaves that of the runner free. */
async function blockElsewhere(ms) {
  const program = `const until = performance.now() + ${ms}; while (performance.now() < until);`;
  await once(new Worker(program, { eval: true }), 'exit');
}

/** A text as it comes back: each careless runner changes another kind of text. */
function repeat(said, broken) {
  if (broken('execute.keeps-text-intact')) return said.replaceAll(/[^ -~\s]|\u2028/g, '?');
  if (broken('execute.keeps-escaped-characters')) return said.replaceAll(/\p{Cc}/gu, '');
  if (broken('execute.keeps-empty-text')) return said || '(empty)';
  return broken('execute.keeps-long-text') ? said.slice(0, 65_536) : said;
}

const MOST_BYTES = 65_536;

/** The text of an event, as long as an event may be: a careless runner counts bytes and nothing else. */
function cut(message, broken) {
  const bytes = Buffer.from(message);
  if (!broken('streaming.keeps-characters-whole') || bytes.length <= MOST_BYTES) return message;
  return bytes.toString('utf8', 0, MOST_BYTES);
}

export const HANDLERS = {
  'conformance.echo': ({ text: said }, { broken }) => {
    if (broken('execute.returns-declared-output')) return { txt: said };
    return { text: repeat(said, broken) };
  },
  'conformance.sleep': async ({ ms }, { signal, broken }) => {
    if (broken('health.answers-while-working')) block(Math.min(ms, 1_400));
    else await sleep(ms, undefined, { signal });
    return { sleptMs: ms };
  },
  'conformance.stubborn': async ({ ms }) => {
    await sleep(ms);
    return { sleptMs: ms };
  },
  'conformance.block': async ({ ms }, { broken }) => {
    if (broken('heartbeat.beats-while-stalled')) block(ms);
    else await blockElsewhere(ms);
    return { blockedMs: ms };
  },
  'conformance.fail': ({ code, message, retryable }) => {
    throw Object.assign(new Error(message), { code, retryable });
  },
  'conformance.progress': ({ steps }, { emit, broken }) => {
    for (let step = 1; step <= steps; step += 1) {
      emit({
        type: 'progress',
        fraction: broken('streaming.reports-progress') ? 1 - step / steps : step / steps,
      });
    }
    return { steps };
  },
  'conformance.logs': ({ lines, text: said = '' }, { emit, broken }) => {
    for (let line = 0; line < lines; line += 1) {
      // A careless runner keeps some of a long log and says nothing of the rest.
      if (broken('streaming.counts-dropped-logs') && line > 100 && line < lines - 1) continue;
      if (broken('streaming.logs-before-the-end') && line % 3 === 2) continue;
      emit({ type: 'log', level: 'info', message: cut(`line ${line}${said}`, broken) });
    }
    return { lines };
  },
  'conformance.checkpoint': ({ step }, { emit, checkpoint, broken }) => {
    emit({ type: 'checkpoint', data: { step } });
    return broken('streaming.carries-checkpoints') || !checkpoint ? {} : { before: checkpoint.step };
  },
  'conformance.crash': (_input, { broken }) => {
    if (broken('errors.survives-a-crash')) process.exit(70);
    throw new TypeError('broke off');
  },
  'conformance.big': ({ bytes }, { broken }) => ({
    text: 'x'.repeat(broken('execute.returns-big-output') ? Math.min(bytes, 65_536) : bytes),
  }),
  'text.repeat': ({ text: said, times }, { broken }) => {
    const empty = broken('execute.matches-its-schema-for-any-input') && said === '';
    return { text: empty ? null : said.repeat(times) };
  },
};
