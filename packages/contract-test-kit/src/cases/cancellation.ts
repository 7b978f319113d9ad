import { CancelExecutionResponse, ErrorEnvelope } from '@controlplane/contracts';
import type { Case, CaseContext } from '../case/case.js';
import { memberOf, must, mustReply } from '../case/expect.js';
import { pause } from '../harness/pause.js';
import { showReply } from '../case/wire-rules.js';
import type { Exchange } from '../harness/exchange.js';
import { newExecution, terminalOf, type ExecutionExchange } from '../harness/runner-client.js';

const LONG_MS = 12_000;
const PROMPT_MS = 3_000;
/** Without a stream nothing says when an execution has begun. */
const BEGUN_MS = 200;
const MAX_ROUNDS = 32;

interface Cancelled {
  readonly confirmation: Exchange;
  readonly execution: ExecutionExchange;
  /** From the cancel request to the end of the execution. */
  readonly tookMs: number;
}

/** Starts an execution, cancels it and waits for its end. */
async function cancelOne(context: CaseContext): Promise<Cancelled> {
  const { id } = context.fixture('conformance.sleep');
  const { client, description } = context.runner;
  const body = newExecution(id, { ms: LONG_MS });
  let done: Promise<ExecutionExchange>;
  if (context.runner.delivery !== 'push' || description.features.includes('ndjson')) {
    const running = client.stream(body);
    await running.firstLine;
    done = running.done;
  } else {
    done = client.execute(body);
    await pause(BEGUN_MS, context.signal);
  }
  const cancelledAt = performance.now();
  const confirmation = await client.cancel(body.executionId);
  const execution = await done;
  return { confirmation, execution, tookMs: performance.now() - cancelledAt };
}

async function confirms(context: CaseContext): Promise<void> {
  const { confirmation } = await cancelOne(context);
  const parsed = CancelExecutionResponse.safeParse(confirmation.json);
  mustReply(
    confirmation.status === 202 && parsed.success && parsed.data.cancelling,
    '202 and a CancelExecutionResponse with cancelling=true',
    confirmation,
  );
}

async function endsAsCancelled(context: CaseContext): Promise<void> {
  const { execution, tookMs } = await cancelOne(context);
  const terminal = terminalOf(execution);
  const cancelled = terminal
    ? terminal.type === 'cancelled' && terminal.reason === 'user'
    : execution.reply?.error?.code === 'EXECUTION_CANCELLED';
  mustReply(cancelled, 'a cancelled event with reason user (JSON: EXECUTION_CANCELLED)', execution);
  must(tookMs < PROMPT_MS, {
    expected: `the end within ${PROMPT_MS} ms of the cancel request`,
    actual: `${Math.round(tookMs)} ms`,
    exchange: execution,
  });
}

async function unknownExecution({ runner }: CaseContext): Promise<void> {
  const exchange = await runner.client.cancel('kit-no-such-execution');
  const envelope = ErrorEnvelope.safeParse(memberOf(exchange.json, 'error'));
  mustReply(
    exchange.status === 404 && envelope.success && envelope.data.code === 'EXECUTION_NOT_FOUND',
    '404 EXECUTION_NOT_FOUND',
    exchange,
  );
}

async function afterTheEnd(context: CaseContext): Promise<void> {
  const { capability, input } = context.subject();
  const body = newExecution(capability.id, input);
  await context.runner.client.execute(body);
  const exchange = await context.runner.client.cancel(body.executionId);
  const parsed = CancelExecutionResponse.safeParse(exchange.json);
  const harmless =
    exchange.status === 404 || (exchange.status < 300 && parsed.success && !parsed.data.cancelling);
  mustReply(harmless, 'cancelling=false, or 404', exchange);
}

async function freesTheSlot(context: CaseContext): Promise<void> {
  const capability = context.fixture('conformance.sleep');
  const slots = Math.min(
    capability.maxConcurrency,
    context.runner.description.maxConcurrency ?? capability.maxConcurrency,
  );
  for (let round = 0; round < Math.min(slots, MAX_ROUNDS); round += 1) await cancelOne(context);
  const next = await context.runner.client.execute(newExecution(capability.id, { ms: 1 }));
  must(next.reply?.success, {
    expected: `a free slot after ${slots} cancelled executions`,
    actual: showReply(next),
    exchange: next,
  });
}

export const cancellationCases: readonly Case[] = [
  { id: 'cancellation.confirms', judge: confirms },
  { id: 'cancellation.ends-as-cancelled', judge: endsAsCancelled },
  { id: 'cancellation.unknown-execution', judge: unknownExecution },
  { id: 'cancellation.after-the-end', judge: afterTheEnd },
  { id: 'cancellation.frees-the-slot', alone: true, judge: freesTheSlot },
];
