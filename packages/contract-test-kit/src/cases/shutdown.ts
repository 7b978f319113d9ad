import type { Case, CaseContext, JudgedRunner, StartOptions } from '../case/case.js';
import { must, mustReply } from '../case/expect.js';
import { NotEvaluable } from '../case/verdict.js';
import { within } from '../case/wait.js';
import { pause } from '../harness/pause.js';
import { shorten, showReply } from '../case/wire-rules.js';
import { NoAnswer } from '../harness/exchange.js';
import { newExecution, type ExecutionExchange } from '../harness/runner-client.js';
import type { ProcessEnd, RunnerProcess } from '../harness/runner-process.js';

const IDLE_EXIT_MS = 10_000;
const WORK_MS = 1_500;
const LONG_WORK_MS = 2_500;

interface OwnRunner {
  readonly runner: JudgedRunner;
  readonly process: RunnerProcess;
}

async function start(context: CaseContext, options?: StartOptions): Promise<OwnRunner> {
  const runner = await context.startRunner(options);
  if (!runner.process) throw new NotEvaluable('the kit does not hold the process of the runner');
  return { runner, process: runner.process };
}

const showEnd = (end: ProcessEnd | undefined): string =>
  end === undefined
    ? 'still running'
    : end.signal === null
      ? `exit code ${end.code}`
      : `ended by ${end.signal}`;

/** Tells the runner to stop and waits for its end. */
async function terminate({ process }: OwnRunner, { signal }: CaseContext): Promise<ProcessEnd | undefined> {
  process.signal('SIGTERM');
  return within(process.ended, { ms: IDLE_EXIT_MS, signal });
}

async function exits(context: CaseContext): Promise<void> {
  const end = await terminate(await start(context), context);
  must(end, {
    sent: 'SIGTERM',
    expected: `an exit within ${IDLE_EXIT_MS / 1000} s`,
    actual: 'still running',
  });
}

async function exitsCleanly(context: CaseContext): Promise<void> {
  const own = await start(context);
  const end = await terminate(own, context);
  must(end?.code === 0, {
    sent: 'SIGTERM',
    expected: 'exit code 0',
    actual: `${showEnd(end)} ${shorten(own.process.output().slice(-300))}`,
  });
}

async function deregisters(context: CaseContext): Promise<void> {
  const own = await start(context);
  const plane = own.runner.controlPlane;
  await terminate(own, context);
  const expectedPath = `/runners/${plane?.runnerId()}/deregister`;
  const message = plane?.of('deregister')[0];
  must(message, { sent: 'SIGTERM', expected: `POST ${expectedPath}`, actual: 'no such request' });
  must(message.path === expectedPath && message.issues.length === 0, {
    sent: 'SIGTERM',
    expected: `POST ${expectedPath} with a RunnerDeregistrationRequest`,
    actual: `POST ${message.path} ${shorten(message.text)} ${message.issues.join('; ')}`,
  });
}

function asNoAnswer(error: unknown): NoAnswer {
  if (error instanceof NoAnswer) return error;
  throw error;
}

/** An execution that runs while the runner is told to stop; settled is its outcome, or that none came. */
async function startWork(
  context: CaseContext,
  { runner }: OwnRunner,
  ms: number,
): Promise<{ readonly settled: Promise<ExecutionExchange | NoAnswer> }> {
  const { id } = context.fixture('conformance.sleep');
  const settled = runner.client.execute(newExecution(id, { ms })).catch(asNoAnswer);
  const early = await within(settled, { ms: 300, signal: context.signal });
  if (early instanceof NoAnswer) throw early;
  if (early) throw new NotEvaluable(`${id} ended at once instead of after ${ms} ms: ${showReply(early)}`);
  return { settled };
}

async function finishesRunningWork(context: CaseContext): Promise<void> {
  const own = await start(context);
  const { settled } = await startWork(context, own, WORK_MS);
  own.process.signal('SIGTERM');
  const exchange = await settled;
  if (exchange instanceof NoAnswer) throw exchange;
  mustReply(
    exchange.reply?.success,
    'success=true from the execution that ran when SIGTERM arrived',
    exchange,
  );
  const end = await within(own.process.ended, { ms: IDLE_EXIT_MS, signal: context.signal });
  must(end, { sent: 'SIGTERM', expected: 'an exit after the last execution', actual: 'still running' });
}

/** What comes of work that is offered now; no answer, where the runner no longer listens. */
async function offerLate(context: CaseContext, { runner }: OwnRunner): Promise<ExecutionExchange | NoAnswer> {
  const { id } = context.fixture('conformance.sleep');
  return runner.client.execute(newExecution(id, { ms: 1 })).catch(asNoAnswer);
}

const isDraining = ({ reply, status }: ExecutionExchange): boolean =>
  reply?.success === false && status === 503 && reply.error?.code === 'RUNNER_DRAINING';

/**
 * Offers work until it is refused or the first is over: a signal takes its time on a busy machine.
 * @returns the last work that was taken, where none was refused
 */
async function workTakenLate(
  context: CaseContext,
  own: OwnRunner,
  settled: Promise<unknown>,
): Promise<ExecutionExchange | undefined> {
  let taken: ExecutionExchange | undefined;
  for (;;) {
    const late = await offerLate(context, own);
    const isOver = (await within(settled, { ms: 100, signal: context.signal })) !== undefined;
    // Closed while it works, it refuses; closed because its work is over, it may have taken all before.
    if (late instanceof NoAnswer) return isOver ? taken : undefined;
    if (isDraining(late)) return undefined;
    if (isOver) return late;
    taken = late;
  }
}

async function refusesNewWork(context: CaseContext): Promise<void> {
  const own = await start(context);
  const { settled } = await startWork(context, own, LONG_WORK_MS);
  own.process.signal('SIGTERM');
  await pause(300, context.signal);
  const taken = await workTakenLate(context, own, settled);
  if (taken) mustReply(false, '503 RUNNER_DRAINING, or a refused connection', taken);
  const first = await settled;
  must(!(first instanceof NoAnswer), {
    sent: 'SIGTERM while an execution runs',
    expected: 'a runner that drains',
    actual: first instanceof NoAnswer ? first.reason : showReply(first),
  });
}

async function secondSignalStops(context: CaseContext): Promise<void> {
  const own = await start(context);
  const { settled } = await startWork(context, own, 12_000);
  own.process.signal('SIGTERM');
  const early = await within(own.process.ended, { ms: 300, signal: context.signal });
  if (early) throw new NotEvaluable(`the runner ended at the first signal (${showEnd(early)})`);
  own.process.signal('SIGTERM');
  const end = await within(own.process.ended, { ms: 3_000, signal: context.signal });
  must(end, {
    sent: 'SIGTERM twice while an execution of 12 s runs',
    expected: 'an exit within 3 s',
    actual: 'still running',
  });
  await settled;
}

export const shutdownCases: readonly Case[] = [
  { id: 'shutdown.exits', judge: exits },
  { id: 'shutdown.exits-cleanly', judge: exitsCleanly },
  { id: 'shutdown.deregisters', judge: deregisters },
  { id: 'shutdown.finishes-running-work', judge: finishesRunningWork },
  { id: 'shutdown.refuses-new-work', judge: refusesNewWork },
  { id: 'shutdown.second-signal-stops', judge: secondSignalStops },
];
