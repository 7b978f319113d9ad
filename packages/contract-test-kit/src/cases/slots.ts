import type { Case, CaseContext } from '../case/case.js';
import { must, mustReply } from '../case/expect.js';
import { NotApplicable } from '../case/verdict.js';
import { showReply } from '../case/wire-rules.js';
import { pause } from '../harness/pause.js';
import { openRawConnection, requestHead } from '../harness/raw-connection.js';
import { newExecution } from '../harness/runner-client.js';

const MAX_SLOTS = 32;
const FAILURE = { code: 'KIT_EXPECTED', message: 'as the kit asked', retryable: false };

function slotsOf(context: CaseContext, id: string): number {
  const { maxConcurrency } = context.fixture(id);
  const slots = Math.min(maxConcurrency, context.runner.description.maxConcurrency ?? maxConcurrency);
  if (slots > MAX_SLOTS) throw new NotApplicable(`the runner declares more than ${MAX_SLOTS} slots`);
  return slots;
}

/** One more execution must find a slot; a runner may take a moment to free it. */
async function mustHaveASlot(context: CaseContext, after: string): Promise<void> {
  const { id } = context.fixture('conformance.sleep');
  const next = await context.runner.client.execute(newExecution(id, { ms: 1 }));
  must(next.reply?.success, {
    expected: `a free slot after ${after}`,
    actual: showReply(next),
    exchange: next,
  });
}

async function failureFreesTheSlot(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.fail');
  const slots = slotsOf(context, 'conformance.sleep');
  for (let count = 0; count < slots; count += 1)
    await context.runner.client.execute(newExecution(id, FAILURE));
  await mustHaveASlot(context, `${slots} executions that failed`);
}

async function timeoutFreesTheSlot(context: CaseContext): Promise<void> {
  const slots = slotsOf(context, 'conformance.sleep');
  const late = Array.from({ length: slots }, () =>
    context.runner.client.executeOnce(newExecution('conformance.sleep', { ms: 12_000 }, { timeoutMs: 200 })),
  );
  await Promise.all(late);
  await mustHaveASlot(context, `${slots} executions that ran out of time`);
}

async function disconnectFreesTheSlot(context: CaseContext): Promise<void> {
  const slots = slotsOf(context, 'conformance.sleep');
  const { execute } = context.runner.client.urls;
  for (let count = 0; count < slots; count += 1) {
    const text = JSON.stringify(newExecution('conformance.sleep', { ms: 300 }));
    const connection = await openRawConnection(execute, context.signal);
    const length = String(Buffer.byteLength(text));
    connection.write(
      requestHead('POST', execute, { 'content-type': 'application/json', 'content-length': length }) + text,
    );
    await pause(30, context.signal);
    connection.destroy();
  }
  await mustHaveASlot(context, `${slots} executions whose connections were closed`);
}

async function repeatsTheAnswer(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.fail');
  const body = newExecution(id, FAILURE);
  const first = await context.runner.client.execute(body);
  const errorId = first.reply?.error?.id;
  mustReply(errorId, 'a failure with an ErrorEnvelope', first);
  const again = await context.runner.client.execute(body);
  mustReply(again.reply?.error?.id === errorId, `the same error, with id ${errorId}: it ran once`, again);
}

async function namesTheCorrelation({ runner }: CaseContext): Promise<void> {
  const correlationId = 'kit-correlation-7';
  const exchange = await runner.client.execute(
    newExecution('kit.no-such-capability', {}, { metadata: { correlationId } }),
  );
  mustReply(
    exchange.reply?.error?.correlationId === correlationId,
    `error.correlationId ${correlationId}`,
    exchange,
  );
}

export const slotCases: readonly Case[] = [
  { id: 'execute.failure-frees-the-slot', alone: true, judge: failureFreesTheSlot },
  { id: 'execute.timeout-frees-the-slot', alone: true, judge: timeoutFreesTheSlot },
  { id: 'resilience.disconnect-frees-the-slot', alone: true, judge: disconnectFreesTheSlot },
  { id: 'resilience.repeats-the-answer', judge: repeatsTheAnswer },
  { id: 'errors.names-the-correlation', judge: namesTheCorrelation },
];
