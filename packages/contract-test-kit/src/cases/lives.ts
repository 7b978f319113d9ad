import type { Case, CaseContext, JudgedRunner } from '../case/case.js';
import { must, mustReply } from '../case/expect.js';
import { NotEvaluable } from '../case/verdict.js';
import { within } from '../case/wait.js';
import { shorten } from '../case/wire-rules.js';
import { pause } from '../harness/pause.js';
import { openRawConnection, requestHead } from '../harness/raw-connection.js';
import { newExecution } from '../harness/runner-client.js';
import type { ProcessEnd, RunnerProcess } from '../harness/runner-process.js';
import { measureDrain } from '../drain/measure-drain.js';
import { showDrain } from '../drain/drain-certificate.js';

const EXIT_MS = 10_000;
const WORK_MS = 1_500;

function processOf({ process }: JudgedRunner): RunnerProcess {
  if (!process) throw new NotEvaluable('the kit does not hold the process of the runner');
  return process;
}

const showEnd = (end: ProcessEnd | undefined): string =>
  end === undefined ? 'still running' : (end.signal ?? `exit code ${end.code}`);

async function obeysInterrupt(context: CaseContext): Promise<void> {
  const process = processOf(await context.startRunner());
  process.signal('SIGINT');
  const end = await within(process.ended, { ms: EXIT_MS, signal: context.signal });
  must(end, { sent: 'SIGINT', expected: `an exit within ${EXIT_MS / 1000} s`, actual: 'still running' });
}

async function leavesNothingBehind(context: CaseContext): Promise<void> {
  const process = processOf(await context.startRunner());
  process.signal('SIGTERM');
  const end = await within(process.ended, { ms: EXIT_MS, signal: context.signal });
  if (!end) throw new NotEvaluable(`the runner did not end within ${EXIT_MS / 1000} s of SIGTERM`);
  // What ends at the same signal may take a moment longer.
  for (let tries = 0; process.isAlive() && tries < 40; tries += 1) await pause(50, context.signal);
  must(!process.isAlive(), {
    sent: 'SIGTERM',
    expected: 'no process of the runner left after its end',
    actual: 'one that it had started goes on',
  });
}

async function exitsDespiteConnections(context: CaseContext): Promise<void> {
  const runner = await context.startRunner();
  const process = processOf(runner);
  const { health } = runner.client.urls;
  const idle = await openRawConnection(health, context.signal);
  const kept = await openRawConnection(health, context.signal);
  kept.write(requestHead('GET', health));
  await kept.until((text) => text.length > 0, EXIT_MS);
  process.signal('SIGTERM');
  const end = await within(process.ended, { ms: EXIT_MS, signal: context.signal });
  const sent = 'SIGTERM while one connection is silent and another idle after its reply';
  must(end, { sent, expected: `an exit within ${EXIT_MS / 1000} s`, actual: showEnd(end) });
  idle.destroy();
  kept.destroy();
}

async function startsAgainAfterKill(context: CaseContext): Promise<void> {
  const first = await context.startRunner();
  const { id } = context.fixture('conformance.sleep');
  first.client.execute(newExecution(id, { ms: WORK_MS })).catch(() => {});
  await pause(200, context.signal);
  processOf(first).signal('SIGKILL');
  await processOf(first).ended;
  const second = await context.startRunner({ after: first });
  const { capability, input } = context.subject();
  const exchange = await second.client.execute(newExecution(capability.id, input));
  mustReply(exchange.reply, 'a RunnerExecutionResponse from the runner that was started again', exchange);
  const registrations = second.controlPlane?.of('register') ?? [];
  must(registrations.length >= 2 || registrations.length === 0, {
    sent: 'SIGKILL while an execution runs, and a start with the same port and control plane',
    expected: 'a registration of the new process',
    actual: `${registrations.length} registrations`,
  });
}

async function worksWithoutControlPlane(context: CaseContext): Promise<void> {
  const runner = await context.startRunner({
    script: { answer: ({ kind }) => (kind === 'heartbeat' ? 'drop' : undefined) },
  });
  await runner.controlPlane?.waitFor(({ kind, index }) => kind === 'heartbeat' && index === 3, {
    timeoutMs: 4_000,
    signal: context.signal,
  });
  const { capability, input } = context.subject();
  const exchange = await runner.client.execute(newExecution(capability.id, input));
  const refused = exchange.reply?.error?.category === 'SERVICE_UNAVAILABLE';
  mustReply(
    exchange.reply && !refused,
    'an outcome: what arrives is run, also while no beat is answered',
    exchange,
  );
}

async function losesNothing(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.sleep');
  const runner = await context.startRunner();
  const certificate = await measureDrain(runner, { capabilityId: id, signal: context.signal });
  must(certificate.ok, {
    sent: `SIGTERM while ${certificate.offered} executions run, and more are offered`,
    expected: 'every execution finished or refused, once, before the end',
    actual: shorten(showDrain(certificate)),
  });
}

export const lifeCases: readonly Case[] = [
  { id: 'shutdown.obeys-interrupt', judge: obeysInterrupt },
  { id: 'shutdown.leaves-nothing-behind', judge: leavesNothingBehind },
  { id: 'shutdown.exits-despite-connections', judge: exitsDespiteConnections },
  { id: 'shutdown.loses-nothing', judge: losesNothing },
  { id: 'resilience.starts-again-after-kill', judge: startsAgainAfterKill },
  { id: 'resilience.works-without-control-plane', judge: worksWithoutControlPlane },
];
