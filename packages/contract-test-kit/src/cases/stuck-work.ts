import type { Case, CaseContext } from '../case/case.js';
import { memberOf, must, mustReply } from '../case/expect.js';
import { NotApplicable, NotEvaluable } from '../case/verdict.js';
import { showReply } from '../case/wire-rules.js';
import { pause } from '../harness/pause.js';
import type { RecordedMessage } from '../harness/recorded-message.js';
import { newExecution } from '../harness/runner-client.js';
import { tryGet } from '../harness/try-get.js';

const MAX_SLOTS = 8;
/** The grace of the contract is 10 s; the rest is for a busy machine. */
const GIVEN_UP_MS = 18_000;
/** How long the thread is blocked: the second for a busy machine. */
const BLOCKS_MS = [4_000, 12_000] as const;
/** A beat that was on its way when the block began. */
const BEGUN_MS = 600;
/** A beat of a runner that comes back to itself a moment before its reply. */
const OVER_MS = 300;
const ANSWER_MS = 1_000;
const FIRST_BEAT_MS = 10_000;

async function givesUp(context: CaseContext): Promise<void> {
  const { id, maxConcurrency } = context.fixture('conformance.stubborn');
  const { client, description } = await context.startRunner();
  const slots = Math.min(maxConcurrency, description.maxConcurrency ?? maxConcurrency, MAX_SLOTS);
  const ends = await Promise.all(
    Array.from({ length: slots }, () =>
      client.executeOnce(newExecution(id, { ms: 60_000 }, { timeoutMs: 500 })),
    ),
  );
  for (const end of ends) {
    mustReply(end.reply?.error?.code === 'EXECUTION_TIMEOUT', 'EXECUTION_TIMEOUT', end);
    must(end.durationMs < GIVEN_UP_MS, {
      sent: 'an execution that does not stop, with timeoutMs 500',
      expected: `an answer within ${GIVEN_UP_MS / 1_000} s`,
      actual: `${Math.round(end.durationMs)} ms`,
      exchange: end,
    });
  }
  const next = await client.execute(newExecution(id, { ms: 1 }));
  must(next.reply?.success, {
    expected: `a free slot after ${slots} executions that were given up`,
    actual: showReply(next),
    exchange: next,
  });
}

const saysStalled = ({ json }: RecordedMessage): boolean => Number(memberOf(json, 'stalledMs') ?? 0) > 0;

async function beatsWhileStalled(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.block');
  const { client, controlPlane: plane, urls } = await context.startRunner();
  if (!plane) throw new NotEvaluable('the runner was not given the control plane of the kit');
  const isBeat = ({ kind }: RecordedMessage): boolean => kind === 'heartbeat';
  const first = await plane.waitFor(isBeat, { timeoutMs: FIRST_BEAT_MS, signal: context.signal });
  if (!first) throw new NotApplicable('the runner does not beat');
  let actual = '';
  for (const ms of BLOCKS_MS) {
    const from = performance.now();
    const running = client.execute(newExecution(id, { ms }, { timeoutMs: 60_000 }));
    await pause(BEGUN_MS, context.signal);
    const isSilent = (await tryGet(new URL('livez', urls.root).href, ANSWER_MS)) === undefined;
    const exchange = await running;
    mustReply(exchange.reply?.success, 'success', exchange);
    const to = performance.now();
    const beats = plane.of('heartbeat').filter(({ at }) => at > from + BEGUN_MS && at < to - OVER_MS);
    if (beats.length > 0 && (!isSilent || beats.some(saysStalled))) return;
    actual = `${beats.length} beats, ${beats.filter(saysStalled).length} of them with stalledMs; GET /livez ${isSilent ? 'was not answered' : 'was answered'}`;
  }
  must(false, {
    sent: `heartbeatIntervalMs 400, and an execution that blocks its thread for ${BLOCKS_MS[1]} ms`,
    expected: 'beats meanwhile; with stalledMs, where the runner answers nothing',
    actual,
  });
}

/** Work that neither stops nor lets anything else run. */
export const stuckWorkCases: readonly Case[] = [
  { id: 'execute.gives-up-what-does-not-stop', leastMs: 12_000, judge: givesUp },
  { id: 'heartbeat.beats-while-stalled', leastMs: 16_000, judge: beatsWhileStalled },
];
