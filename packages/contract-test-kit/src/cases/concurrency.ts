import type { Case, CaseContext, JudgedRunner } from '../case/case.js';
import { must, mustReply } from '../case/expect.js';
import { NotApplicable } from '../case/verdict.js';
import { pause } from '../harness/pause.js';
import { showReply } from '../case/wire-rules.js';
import { newExecution, type ExecutionExchange } from '../harness/runner-client.js';

const AT_ONCE = 4;
const HOLD_MS = 1_000;
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
  const exchange = await context.runner.client.execute(newExecution(id, { ms: 2_500 }, { timeoutMs: 500 }));
  mustReply(
    exchange.reply?.success === false && exchange.reply.error?.code === 'EXECUTION_TIMEOUT',
    'EXECUTION_TIMEOUT',
    exchange,
  );
  must(exchange.durationMs < 2_000, {
    expected: 'an answer soon after timeoutMs=500',
    actual: `${Math.round(exchange.durationMs)} ms`,
    exchange,
  });
}

/** Slots that the runner declares for executions of a capability; undefined when it declares none. */
function declaredSlots({ description }: JudgedRunner, capabilityId: string): number | undefined {
  const capability = description.capabilities.find(({ id }) => id === capabilityId);
  if (description.maxConcurrency === undefined && (capability?.maxConcurrency ?? 1) === 1) return undefined;
  return Math.min(description.maxConcurrency ?? Number.POSITIVE_INFINITY, capability?.maxConcurrency ?? 1);
}

async function refusesBeyondItsSlots(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.sleep');
  const slots = declaredSlots(context.runner, id);
  if (slots === undefined) throw new NotApplicable('the runner declares no maxConcurrency');
  if (slots > MAX_SLOTS) throw new NotApplicable(`the runner declares more than ${MAX_SLOTS} slots`);
  const filling = Array.from({ length: slots }, () =>
    context.runner.client.executeOnce(newExecution(id, { ms: HOLD_MS })),
  );
  await pause(250, context.signal);
  const extra = await context.runner.client.executeOnce(newExecution(id, { ms: 1 }));
  const taken = await Promise.all(filling);
  const refused = taken.find(isBusy);
  must(!refused, {
    expected: `${slots} executions at once, as declared`,
    actual: refused ? showReply(refused) : '',
    exchange: refused,
  });
  mustReply(extra.status === 429 && isBusy(extra), `429 RUNNER_BUSY for one more than ${slots}`, extra);
}

export const concurrencyCases: readonly Case[] = [
  { id: 'execute.keeps-concurrent-answers-apart', alone: true, judge: keepsAnswersApart },
  { id: 'execute.honours-timeout', alone: true, judge: honoursTimeout },
  { id: 'execute.refuses-beyond-its-slots', alone: true, judge: refusesBeyondItsSlots },
];
