import type { Case, CaseContext, Subject } from '../case/case.js';
import { Mismatch, NotApplicable, type Finding } from '../case/verdict.js';
import { showReply } from '../case/wire-rules.js';
import { newExecution, type ExecutionExchange } from '../harness/runner-client.js';
import type { RunnerDescription } from '../harness/runner-description.js';
import { exploreInputs, type Exploration } from '../inputs/explore-inputs.js';
import { valueFaults } from '../inputs/json-schema-check.js';
import { edgeChanges, spoilingChanges } from '../inputs/member-changes.js';
import { inputArbitrary } from '../inputs/schema-arbitrary.js';
import { spoiledArbitrary } from '../inputs/spoiled-arbitrary.js';

/** Milliseconds that one case looks for inputs, over all capabilities. */
const BUDGET_MS = 8_000;
/** A made-up input may ask for much: what is not done by then is not waited for. */
const TIMEOUT_MS = 2_000;
/** A runner that answers nothing for so long is at fault; one that is cut off sooner, at the case's end, is not. */
const NO_REPLY_MS = 8_000;
const MOST_CAPABILITIES = 10;

/** The reply to one input; undefined when the case's time was up before a reply was due. */
async function ask(
  { runner: { client }, signal }: CaseContext,
  body: ReturnType<typeof newExecution>,
): Promise<ExecutionExchange | undefined> {
  const askedAt = performance.now();
  try {
    return await client.execute(body);
  } catch (error) {
    if (signal.aborted && performance.now() - askedAt < NO_REPLY_MS) return undefined;
    throw error;
  }
}

type Reply = ReturnType<typeof ask>;

/** What a runner has answered to made-up inputs: several requirements look at the same answers. */
const answered = new WeakMap<RunnerDescription, Map<string, Reply>>();

/** The reply to an input, asked once for each life of a runner; again where the case that asked was over before it came. */
function askOnce(context: CaseContext, capabilityId: string, input: unknown): Reply {
  const { description } = context.runner;
  const replies = answered.get(description) ?? new Map<string, Reply>();
  answered.set(description, replies);
  const key = `${capabilityId} ${JSON.stringify(input)}`;
  const known = replies.get(key);
  if (known) return known.then((exchange) => exchange ?? askOnce(context, capabilityId, input));
  const reply = ask(context, newExecution(capabilityId, input, { timeoutMs: TIMEOUT_MS }));
  replies.set(key, reply);
  // What one case was not answered, another asks for itself.
  const forget = (): boolean => replies.delete(key);
  reply.then((exchange) => exchange ?? forget(), forget);
  return reply;
}

/** The runner's own capabilities, and of the fixtures the one that takes any text. */
function explorable(context: CaseContext): readonly Subject[] {
  const subjects = context
    .subjects()
    .filter(({ capability: { id } }) => id === 'conformance.echo' || !id.startsWith('conformance.'));
  if (subjects.length === 0)
    throw new NotApplicable('the runner has no capability of its own that may be called');
  return subjects.slice(0, MOST_CAPABILITIES);
}

type Judge = (
  exchange: ExecutionExchange,
  subject: Subject,
) => Pick<Finding, 'expected' | 'actual'> | undefined;
type Plan = Pick<Exploration, 'arbitrary' | 'fits' | 'examples' | 'last'>;

/** Tries inputs on each capability; the first that is broken by one ends the case, with the smallest such input. */
async function explore(
  context: CaseContext,
  planOf: (subject: Subject) => Plan | undefined,
  judge: Judge,
): Promise<void> {
  const subjects = explorable(context);
  let tried = 0;
  for (const subject of subjects) {
    const { capability } = subject;
    const plan = planOf(subject);
    if (!plan) continue;
    const limitMs = BUDGET_MS / subjects.length;
    const explored = await exploreInputs({ ...plan, seed: context.seed, limitMs }, async (input) => {
      const exchange = await askOnce(context, capability.id, input);
      const finding = exchange && judge(exchange, subject);
      return finding && { ...finding, exchange };
    });
    tried += explored.tried;
    if (explored.smallest) {
      const { finding, input } = explored.smallest;
      throw new Mismatch({ ...finding, input: { capabilityId: capability.id, value: input } });
    }
  }
  if (tried === 0) throw new NotApplicable('no inputs can be made from the schemas of the capabilities');
}

/** The input that every case uses comes first, then the examples of the schema's author. */
function validInputs({ capability, input, fixed }: Subject): Plan | undefined {
  const { inputSchema } = capability;
  const arbitrary = inputArbitrary(fixed ? { const: input } : inputSchema);
  const { examples } = inputSchema;
  return (
    arbitrary && {
      arbitrary,
      examples: [input, ...(Array.isArray(examples) && !fixed ? (examples as unknown[]) : [])],
      last: fixed ? [] : edgeChanges(inputSchema).map((change) => change(input)),
      fits: (value) => valueFaults(inputSchema, value).length === 0,
    }
  );
}

function invalidInputs({ capability: { inputSchema }, input, fixed }: Subject): Plan | undefined {
  const arbitrary = fixed ? undefined : spoiledArbitrary(inputSchema);
  const fits = (value: unknown): boolean => valueFaults(inputSchema, value, 'lenient').length > 0;
  const last = spoilingChanges(inputSchema).map((change) => change(input));
  return arbitrary && { arbitrary, fits, examples: [input], last };
}

const acceptsWhatFits: Judge = (exchange, { capability }) =>
  exchange.reply?.error?.category === 'VALIDATION_ERROR'
    ? {
        expected: `no VALIDATION_ERROR: the input schema of ${capability.id} accepts it`,
        actual: showReply(exchange),
      }
    : undefined;

const refusesWhatDoesNot: Judge = (exchange, { capability }) => {
  const { reply } = exchange;
  const busy = reply?.error?.code === 'RUNNER_BUSY';
  return busy || (reply?.success === false && reply.error?.category === 'VALIDATION_ERROR')
    ? undefined
    : {
        expected: `VALIDATION_ERROR: the input schema of ${capability.id} refuses it`,
        actual: showReply(exchange),
      };
};

const givesDeclaredOutput: Judge = (exchange, { capability }) => {
  if (!exchange.reply?.success) return undefined;
  const faults = valueFaults(capability.outputSchema, exchange.reply.data, 'lenient');
  return faults.length === 0
    ? undefined
    : {
        expected: `data that matches the output schema of ${capability.id} (${faults.slice(0, 3).join('; ')})`,
        actual: showReply(exchange),
      };
};

export const discoveryCases: readonly Case[] = [
  {
    id: 'execute.accepts-what-its-schema-accepts',
    judge: (context) => explore(context, validInputs, acceptsWhatFits),
  },
  {
    id: 'execute.refuses-what-its-schema-refuses',
    judge: (context) => explore(context, invalidInputs, refusesWhatDoesNot),
  },
  {
    id: 'execute.matches-its-schema-for-any-input',
    judge: (context) => explore(context, validInputs, givesDeclaredOutput),
  },
];
