import type { Case, CaseContext } from '../case/case.js';
import { memberOf, must, mustStillAnswer } from '../case/expect.js';
import { NotApplicable, NotEvaluable } from '../case/verdict.js';
import { shorten } from '../case/wire-rules.js';
import type { RecordedMessage } from '../harness/recorded-message.js';
import type { RecordingControlPlane } from '../harness/recording-control-plane.js';

/** Beats are asked for every 400 ms. */
const BEATS_WAIT_MS = 8_000;
const AGAIN_WAIT_MS = 5_000;

const isBeat = (count: number) => (message: RecordedMessage) =>
  message.kind === 'heartbeat' && message.index === count - 1;

async function awaitBeats(
  { runner, signal }: CaseContext,
  count: number,
): Promise<{ plane: RecordingControlPlane; last: RecordedMessage | undefined }> {
  const plane = runner.controlPlane;
  if (!plane) throw new NotEvaluable('the runner was not given the control plane of the kit');
  return { plane, last: await plane.waitFor(isBeat(count), { timeoutMs: BEATS_WAIT_MS, signal }) };
}

async function someBeats(
  context: CaseContext,
): Promise<{ plane: RecordingControlPlane; beats: readonly RecordedMessage[] }> {
  const { plane } = await awaitBeats(context, 1);
  const beats = plane.of('heartbeat');
  if (beats.length === 0) throw new NotApplicable(`no beat within ${BEATS_WAIT_MS / 1000} s`);
  return { plane, beats };
}

async function beatsAtCadence(context: CaseContext): Promise<void> {
  const { plane, last } = await awaitBeats(context, 3);
  must(last, {
    sent: 'heartbeatIntervalMs 400 in the reply to the registration',
    expected: `three beats within ${BEATS_WAIT_MS / 1000} s`,
    actual: `${plane.of('heartbeat').length} beats`,
  });
}

async function validMessage(context: CaseContext): Promise<void> {
  const { beats } = await someBeats(context);
  const bad = beats.find(({ issues }) => issues.length > 0);
  must(!bad, {
    sent: shorten(bad?.text ?? ''),
    expected: 'a RunnerHeartbeat',
    actual: bad?.issues.slice(0, 5).join('; ') ?? '',
  });
}

async function carriesItsId(context: CaseContext): Promise<void> {
  const { plane, beats } = await someBeats(context);
  const stray = beats.find(({ json }) => memberOf(json, 'runnerId') !== plane.runnerId());
  must(!stray, {
    sent: shorten(stray?.text ?? ''),
    expected: `runnerId ${plane.runnerId()}`,
    actual: `runnerId ${String(memberOf(stray?.json, 'runnerId'))}`,
  });
}

async function registersAgain(context: CaseContext): Promise<void> {
  const { controlPlane } = await context.startRunner({
    script: {
      answer: ({ kind, index }) =>
        kind === 'heartbeat' && index === 0 ? { members: { known: false, receiving: false } } : undefined,
    },
  });
  const beat = await controlPlane?.waitFor(isBeat(1), { timeoutMs: BEATS_WAIT_MS, signal: context.signal });
  must(beat, {
    sent: 'heartbeatIntervalMs 400',
    expected: 'a beat to answer with known=false',
    actual: 'no beat',
  });
  const again = await controlPlane?.waitFor(({ kind, index }) => kind === 'register' && index === 1, {
    timeoutMs: AGAIN_WAIT_MS,
    signal: context.signal,
  });
  must(again, {
    sent: 'known=false in the reply to a beat',
    expected: `a registration within ${AGAIN_WAIT_MS / 1000} s`,
    actual: 'none',
  });
}

async function survivesOutage(context: CaseContext): Promise<void> {
  const runner = await context.startRunner({
    script: {
      answer: ({ kind, index }) =>
        kind !== 'heartbeat' || index > 1 ? undefined : index === 0 ? { error: 'STORE_UNAVAILABLE' } : 'drop',
    },
  });
  const sent = '503 to the first beat, a closed connection to the second';
  const beat = (count: number, timeoutMs: number) =>
    runner.controlPlane?.waitFor(isBeat(count), { timeoutMs, signal: context.signal });
  const first = await beat(1, BEATS_WAIT_MS);
  must(first, { sent: 'heartbeatIntervalMs 400', expected: 'a beat to answer with 503', actual: 'no beat' });
  const third = await Promise.race([beat(3, AGAIN_WAIT_MS), runner.process?.ended.then(() => undefined)]);
  const end = runner.process?.end();
  must(!end, {
    sent,
    expected: 'a runner that goes on',
    actual: `it ended (${end?.signal ?? `code ${end?.code}`}): ${shorten(runner.process?.output() ?? '')}`,
  });
  must(third, {
    sent,
    expected: `a third beat within ${AGAIN_WAIT_MS / 1000} s`,
    actual: `${runner.controlPlane?.of('heartbeat').length ?? 0} beats`,
  });
  await mustStillAnswer(runner.client, 'failed beats');
}

export const heartbeatCases: readonly Case[] = [
  { id: 'heartbeat.beats-at-cadence', judge: beatsAtCadence },
  { id: 'heartbeat.valid-message', judge: validMessage },
  { id: 'heartbeat.carries-its-id', judge: carriesItsId },
  { id: 'heartbeat.registers-again-when-unknown', judge: registersAgain },
  { id: 'heartbeat.survives-outage', judge: survivesOutage },
];
