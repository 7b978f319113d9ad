import type { Case, CaseContext, JudgedRunner } from '../case/case.js';
import { memberOf, must, mustStillAnswer } from '../case/expect.js';
import { NotApplicable, NotEvaluable } from '../case/verdict.js';
import { within } from '../case/wait.js';
import { shorten } from '../case/wire-rules.js';
import { NoAnswer } from '../harness/exchange.js';
import { pause } from '../harness/pause.js';
import type { RecordedMessage } from '../harness/recorded-message.js';
import { newExecution, terminalOf } from '../harness/runner-client.js';

const WAIT_MS = 10_000;
/** Beats are asked for every 400 ms: more than twice as many are too many. */
const LEAST_GAP_MS = 150;
const GAPS = 6;
/** How far a clock may be from the kit's, which may run on another machine. */
const CLOCK_MS = 5 * 60_000;
const NEW_INTERVAL_MS = 60_000;
const QUIET_MS = 2_000;
const SLEEPS_MS = [2_000, 8_000] as const;

type Fits = (message: RecordedMessage) => boolean;

const beatThat =
  (fits: Fits): Fits =>
  (message) =>
    message.kind === 'heartbeat' && fits(message);

/** The first beat that fits; a runner that does not beat at all is judged by other cases. */
async function awaitBeat(
  { signal }: CaseContext,
  { controlPlane }: Pick<JudgedRunner, 'controlPlane'>,
  fits: Fits,
): Promise<RecordedMessage | undefined> {
  if (!controlPlane) throw new NotEvaluable('the runner was not given the control plane of the kit');
  const found = await controlPlane.waitFor(beatThat(fits), { timeoutMs: WAIT_MS, signal });
  if (!found && controlPlane.of('heartbeat').length === 0)
    throw new NotApplicable('the runner does not beat');
  return found;
}

async function notTooOften(context: CaseContext): Promise<void> {
  const last = await awaitBeat(context, context.runner, ({ index }) => index >= GAPS);
  const beats = context.runner.controlPlane?.of('heartbeat') ?? [];
  if (!last) throw new NotApplicable(`fewer than ${GAPS + 1} beats within ${WAIT_MS / 1000} s`);
  const gaps = beats.slice(1).map(({ at }, index) => at - (beats[index]?.at ?? at));
  const median = gaps.toSorted((left, right) => left - right)[Math.floor(gaps.length / 2)] ?? 0;
  must(median >= LEAST_GAP_MS, {
    sent: 'heartbeatIntervalMs 400 in the reply to the registration',
    expected: `beats about 400 ms apart, ${LEAST_GAP_MS} ms at the least`,
    actual: `${Math.round(median)} ms apart, in the middle of ${gaps.length} gaps`,
  });
}

async function takesANewInterval(context: CaseContext): Promise<void> {
  const runner = await context.startRunner({
    script: {
      answer: ({ kind }) =>
        kind === 'heartbeat' ? { members: { heartbeatIntervalMs: NEW_INTERVAL_MS } } : undefined,
    },
  });
  await awaitBeat(context, runner, ({ index }) => index === 0);
  // One more may be under way already.
  await pause(600, context.signal);
  const before = runner.controlPlane?.of('heartbeat').length ?? 0;
  await pause(QUIET_MS, context.signal);
  const more = (runner.controlPlane?.of('heartbeat').length ?? 0) - before;
  must(more === 0, {
    sent: `heartbeatIntervalMs ${NEW_INTERVAL_MS} in the reply to a beat`,
    expected: 'the next beat in a minute',
    actual: `${more} beats within ${QUIET_MS / 1000} s`,
  });
}

async function tellsTheTime(context: CaseContext): Promise<void> {
  // As many as take more than a second, for clocks that tell no less.
  await awaitBeat(context, context.runner, ({ index }) => index === 4);
  const beats = context.runner.controlPlane?.of('heartbeat') ?? [];
  const times = beats.map(({ json }) => Date.parse(String(memberOf(json, 'timestamp'))));
  const wrong = times.findIndex(
    (time, index) => !(time >= (times[index - 1] ?? time) && Math.abs(time - Date.now()) < CLOCK_MS),
  );
  must(wrong < 0 && (times.length < 5 || times.at(-1) !== times[0]), {
    sent: shorten(beats[Math.max(wrong, 0)]?.text ?? ''),
    expected: 'the time of each beat, rising, within five minutes of the time here',
    actual: `timestamps ${beats
      .slice(0, 3)
      .map(({ json }) => String(memberOf(json, 'timestamp')))
      .join(', ')}`,
  });
}

async function carriesItsInstance(context: CaseContext): Promise<void> {
  await awaitBeat(context, context.runner, () => true);
  const plane = context.runner.controlPlane;
  const registered = memberOf(plane?.of('register').at(-1)?.json, 'instanceId');
  if (registered === undefined) throw new NotApplicable('the runner registers without instanceId');
  const stray = plane?.of('heartbeat').find(({ json }) => memberOf(json, 'instanceId') !== registered);
  must(!stray, {
    sent: shorten(stray?.text ?? ''),
    expected: `instanceId ${JSON.stringify(registered)}`,
    actual: `instanceId ${String(memberOf(stray?.json, 'instanceId'))}`,
  });
}

/** Runs conformance.sleep and waits for a beat that tells of it, longer on a machine that is busy. */
async function beatWhileWorking(
  context: CaseContext,
  expected: string,
  tells: (beat: RecordedMessage, executionId: string) => boolean,
): Promise<void> {
  const { id } = context.fixture('conformance.sleep');
  await awaitBeat(context, context.runner, () => true);
  for (const ms of SLEEPS_MS) {
    const body = newExecution(id, { ms });
    const from = context.runner.controlPlane?.of('heartbeat').length ?? 0;
    const running = context.runner.client.execute(body);
    const told = await Promise.race([
      awaitBeat(context, context.runner, (beat) => beat.index >= from && tells(beat, body.executionId)),
      running.then(() => undefined),
    ]);
    await running;
    if (told) return;
  }
  const beats = context.runner.controlPlane?.of('heartbeat') ?? [];
  must(false, {
    sent: `${id} for ${SLEEPS_MS.join(' and ')} ms`,
    expected,
    actual: shorten(beats.at(-1)?.text ?? ''),
  });
}

const countsActive = (context: CaseContext): Promise<void> =>
  beatWhileWorking(context, 'a beat with activeJobs of at least 1 meanwhile', ({ json }) => {
    const active = memberOf(json, 'activeJobs');
    return typeof active === 'number' && active >= 1;
  });

const namesRunning = (context: CaseContext): Promise<void> =>
  beatWhileWorking(context, 'a beat whose executions name it meanwhile', ({ json }, executionId) => {
    const executions = memberOf(json, 'executions');
    return Array.isArray(executions) && executions.includes(executionId);
  });

async function countsNothingWhenIdle(context: CaseContext): Promise<void> {
  const { capability, input } = context.subject();
  await context.runner.client.execute(newExecution(capability.id, input));
  const from = context.runner.controlPlane?.of('heartbeat').length ?? 0;
  const idle = await awaitBeat(
    context,
    context.runner,
    ({ index, json }) => index >= from && (memberOf(json, 'activeJobs') ?? 0) === 0,
  );
  must(idle, {
    sent: 'an execution that has ended, and no other',
    expected: `a beat with activeJobs 0 within ${WAIT_MS / 1000} s`,
    actual: shorten(context.runner.controlPlane?.of('heartbeat').at(-1)?.text ?? ''),
  });
}

/** A runner whose first beat is answered with a directive, once `runs` has begun. */
async function direct(
  context: CaseContext,
  directive: Readonly<Record<string, unknown>>,
): Promise<JudgedRunner> {
  const runner = await context.startRunner({
    script: {
      answer: ({ kind, index }) =>
        kind === 'heartbeat' && index === 0 ? { members: { directives: [directive] } } : undefined,
    },
  });
  await awaitBeat(context, runner, () => true);
  return runner;
}

async function obeysDrain(context: CaseContext): Promise<void> {
  const runner = await direct(context, { kind: 'drain' });
  const deadline = performance.now() + WAIT_MS;
  const { capability, input } = context.subject();
  while (performance.now() < deadline) {
    const exchange = await runner.client
      .executeOnce(newExecution(capability.id, input))
      .catch((error: unknown) => {
        if (error instanceof NoAnswer) return undefined;
        throw error;
      });
    if (!exchange || exchange.reply?.error?.code === 'RUNNER_DRAINING') return;
    await pause(100, context.signal);
  }
  must(false, {
    sent: 'the directive drain in the reply to a beat',
    expected: `RUNNER_DRAINING, or no one there, within ${WAIT_MS / 1000} s`,
    actual: 'a runner that takes work',
  });
}

async function obeysRegister(context: CaseContext): Promise<void> {
  const { controlPlane } = await direct(context, { kind: 'register' });
  const again = await controlPlane?.waitFor(({ kind, index }) => kind === 'register' && index === 1, {
    timeoutMs: WAIT_MS,
    signal: context.signal,
  });
  must(again, {
    sent: 'the directive register in the reply to a beat',
    expected: `a registration within ${WAIT_MS / 1000} s`,
    actual: 'none',
  });
}

async function obeysCancel(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.sleep');
  const body = newExecution(id, { ms: 12_000 });
  let sent = false;
  const directives = [{ kind: 'cancel', executionId: body.executionId, reason: 'user' }];
  const runner = await context.startRunner({
    script: {
      answer: ({ kind }) => (kind === 'heartbeat' && sent ? { members: { directives } } : undefined),
    },
  });
  await awaitBeat(context, runner, () => true);
  const running = runner.client.execute(body);
  await pause(200, context.signal);
  sent = true;
  const end = await within(running, { ms: WAIT_MS, signal: context.signal });
  must(end && (end.reply?.error?.code === 'EXECUTION_CANCELLED' || terminalOf(end)?.type === 'cancelled'), {
    sent: 'the directive cancel in the replies to beats',
    expected: `EXECUTION_CANCELLED within ${WAIT_MS / 1000} s`,
    actual: end ? shorten(end.text) : 'an execution that goes on',
    exchange: end,
  });
}

async function survivesUnreadable(context: CaseContext): Promise<void> {
  const runner = await context.startRunner({
    script: {
      answer: ({ kind, index }) =>
        kind !== 'heartbeat' || index > 1
          ? undefined
          : { status: index === 0 ? 200 : 502, html: '<html><body>Bad gateway</body></html>' },
    },
  });
  const third = await Promise.race([
    awaitBeat(context, runner, ({ index }) => index === 2),
    runner.process?.ended.then(() => undefined),
  ]);
  const end = runner.process?.end();
  must(third && !end, {
    sent: 'HTML with 200 to the first beat, with 502 to the second',
    expected: 'a runner that goes on, and a third beat',
    actual: end ? `it ended: ${shorten(runner.process?.output() ?? '')}` : 'no third beat',
  });
  await mustStillAnswer(runner.client, 'unreadable replies to beats');
}

async function survivesSlowReplies(context: CaseContext): Promise<void> {
  const runner = await context.startRunner({
    script: { answer: ({ kind }) => (kind === 'heartbeat' ? { afterMs: 6_000 } : undefined) },
  });
  const { capability, input } = context.subject();
  await pause(1_000, context.signal);
  const exchange = await runner.client.execute(newExecution(capability.id, input));
  must(exchange.reply && exchange.durationMs < 4_000, {
    sent: 'an execution while the reply to a beat is 6 s late',
    expected: 'an outcome within 4 s',
    actual: exchange.reply ? `${Math.round(exchange.durationMs)} ms` : shorten(exchange.text),
    exchange,
  });
}

export const beatCases: readonly Case[] = [
  { id: 'heartbeat.not-too-often', judge: notTooOften },
  { id: 'heartbeat.takes-a-new-interval', judge: takesANewInterval },
  { id: 'heartbeat.tells-the-time', judge: tellsTheTime },
  { id: 'heartbeat.carries-its-instance', judge: carriesItsInstance },
  { id: 'heartbeat.counts-active-executions', alone: true, judge: countsActive },
  { id: 'heartbeat.counts-nothing-when-idle', alone: true, judge: countsNothingWhenIdle },
  { id: 'heartbeat.names-running-executions', alone: true, judge: namesRunning },
  { id: 'heartbeat.obeys-drain', judge: obeysDrain },
  { id: 'heartbeat.obeys-register', judge: obeysRegister },
  { id: 'heartbeat.obeys-cancel', judge: obeysCancel },
  { id: 'heartbeat.survives-unreadable-replies', judge: survivesUnreadable },
  { id: 'heartbeat.survives-slow-replies', judge: survivesSlowReplies },
];
