import type { Case, CaseContext, JudgedRunner } from '../case/case.js';
import { must, mustReply } from '../case/expect.js';
import { NotApplicable } from '../case/verdict.js';
import { pause } from '../harness/pause.js';
import { showReply } from '../case/wire-rules.js';
import { newExecution, type ExecutionExchange } from '../harness/runner-client.js';

const AT_ONCE = 4;
/**
 * How long the slots are held, and how long filling them may take. On a machine that is busy with something else the
 * first may be too short: who breaks the requirement breaks it however long it takes.
 */
const FILLINGS = [
  { holdMs: 1_000, fillMs: 250 },
  { holdMs: 5_000, fillMs: 2_500 },
] as const;
/** Time limits of an execution that sleeps for longer, and how late its end may come: the second for a busy machine. */
const TIMEOUTS = [
  { sleepMs: 2_500, timeoutMs: 500, lateMs: 1_500 },
  { sleepMs: 10_000, timeoutMs: 500, lateMs: 6_000 },
] as const;
/** More slots than this are not filled: it would test the machine, not the runner. */
const MAX_SLOTS = 32;

const isBusy = ({ reply }: ExecutionExchange): boolean => reply?.error?.code === 'RUNNER_BUSY';

async function keepsAnswersApart(context: CaseContext): Promise<void> {
  const { capability, input } = context.subject();
  const echoes = capability.id === 'conformance.echo';
  const bodies = Array.from({ length: AT_ONCE }, (_, index) =>
    newExecution(capability.id, echoes ? { text: `number ${index}` } : input),
  );
  const exchanges = await Promise.all(bodies.map((body) => context.runner.client.executeOnce(body)));
  for (const [index, exchange] of exchanges.entries()) {
    if (isBusy(exchange)) continue;
    mustReply(exchange.reply, 'a RunnerExecutionResponse', exchange);
    const { jobId, data } = exchange.reply;
    const own = jobId === undefined || !bodies.some((body, other) => other !== index && body.jobId === jobId);
    mustReply(own, `the jobId of its own request, ${bodies[index]?.jobId}`, exchange);
    if (echoes && exchange.reply.success)
      mustReply(
        JSON.stringify(data) === JSON.stringify(bodies[index]?.payload),
        `data ${JSON.stringify(bodies[index]?.payload)}`,
        exchange,
      );
  }
  const told = exchanges.some(({ reply }) => reply?.jobId !== undefined || (echoes && reply?.success));
  if (!told && !exchanges.every(isBusy))
    throw new NotApplicable('its replies name no job and repeat no input: nothing tells them apart');
  const answered = exchanges.filter((exchange) => !isBusy(exchange));
  must(answered.length > 0, {
    expected: 'at least one of four executions taken',
    actual: 'RUNNER_BUSY for all',
    exchange: exchanges[0],
  });
}

async function honoursTimeout(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.sleep');
  let late: ExecutionExchange | undefined;
  for (const { sleepMs, timeoutMs, lateMs } of TIMEOUTS) {
    const exchange = await context.runner.client.execute(newExecution(id, { ms: sleepMs }, { timeoutMs }));
    mustReply(
      exchange.reply?.success === false && exchange.reply.error?.code === 'EXECUTION_TIMEOUT',
      'EXECUTION_TIMEOUT',
      exchange,
    );
    late = exchange.durationMs < timeoutMs + lateMs ? undefined : exchange;
    if (!late) break;
  }
  must(!late, {
    expected: 'an answer soon after timeoutMs=500',
    actual: `${Math.round(late?.durationMs ?? 0)} ms`,
    exchange: late,
  });
}

/** Slots that the runner declares for executions of a capability; undefined when it declares none. */
function declaredSlots({ description }: JudgedRunner, capabilityId: string): number | undefined {
  const capability = description.capabilities.find(({ id }) => id === capabilityId);
  if (description.maxConcurrency === undefined && (capability?.maxConcurrency ?? 1) === 1) return undefined;
  return Math.min(description.maxConcurrency ?? Number.POSITIVE_INFINITY, capability?.maxConcurrency ?? 1);
}

/** Fills the slots of a capability and sends one execution more. */
async function overfill(
  context: CaseContext,
  id: string,
  { slots, holdMs, fillMs }: { readonly slots: number; readonly holdMs: number; readonly fillMs: number },
): Promise<{ readonly taken: readonly ExecutionExchange[]; readonly extra: ExecutionExchange }> {
  const filling = Array.from({ length: slots }, () =>
    context.runner.client.executeOnce(newExecution(id, { ms: holdMs })),
  );
  await pause(fillMs, context.signal);
  const extra = await context.runner.client.executeOnce(newExecution(id, { ms: 1 }));
  return { taken: await Promise.all(filling), extra };
}

async function refusesBeyondItsSlots(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.sleep');
  const slots = declaredSlots(context.runner, id);
  if (slots === undefined) throw new NotApplicable('the runner declares no maxConcurrency');
  if (slots > MAX_SLOTS) throw new NotApplicable(`the runner declares more than ${MAX_SLOTS} slots`);
  for (const [index, filling] of FILLINGS.entries()) {
    const { taken, extra } = await overfill(context, id, { slots, ...filling });
    const refused = taken.find(isBusy);
    const isKept = !refused && extra.status === 429 && isBusy(extra);
    if (isKept) return;
    if (index < FILLINGS.length - 1) continue;
    must(!refused, {
      expected: `${slots} executions at once, as declared`,
      actual: refused ? showReply(refused) : '',
      exchange: refused,
    });
    mustReply(false, `429 RUNNER_BUSY for one more than ${slots}`, extra);
  }
}

export const concurrencyCases: readonly Case[] = [
  { id: 'execute.keeps-concurrent-answers-apart', alone: true, judge: keepsAnswersApart },
  { id: 'execute.honours-timeout', alone: true, judge: honoursTimeout },
  { id: 'execute.refuses-beyond-its-slots', alone: true, judge: refusesBeyondItsSlots },
];
