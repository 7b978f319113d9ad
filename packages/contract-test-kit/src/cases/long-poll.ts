import { DEFAULTS } from '@controlplane/contracts';
import type { Case, CaseContext } from '../case/case.js';
import {
  mustBegin,
  mustEnd,
  offerFixture,
  offerSubject,
  registration,
  startDialled,
  type Dialled,
} from '../case/dialled.js';
import { memberOf, must } from '../case/expect.js';
import { NotApplicable } from '../case/verdict.js';
import { eventually } from '../case/wait.js';
import { PATIENCE_MS, pause } from '../harness/pause.js';
import type { RecordedMessage } from '../harness/recording-control-plane.js';

const SHORT_HOLD_MS = 300;
const SESSION = 'kit-session.0f6d2a9c4b8e4d71';
const NEWER_SESSION = 'kit-session.c1e7f30b95a24f6d';

function pollAfter({ plane, signal }: Dialled, count: number): Promise<RecordedMessage | undefined> {
  return plane.waitFor(({ kind, index }) => kind === 'poll' && index >= count, {
    timeoutMs: PATIENCE_MS,
    signal,
  });
}

async function pollsAgain(context: CaseContext): Promise<void> {
  const dialled = await startDialled(context, { script: { holdMs: SHORT_HOLD_MS } });
  const third = await pollAfter(dialled, 2);
  must(third, {
    sent: 'empty answers to polls',
    expected: 'another poll after each',
    actual: `${dialled.plane.of('poll').length} polls`,
  });
}

async function waitsWhileHeld(context: CaseContext): Promise<void> {
  const dialled = await startDialled(context);
  await pollAfter(dialled, 0);
  // Not to its very end: then the answer comes.
  await pause(DEFAULTS.pollHoldMs - 1_500, context.signal);
  const count = dialled.plane.of('poll').length;
  must(count === 1 && dialled.dialIn.isUp(), {
    sent: `a poll that is held for ${DEFAULTS.pollHoldMs / 1000} s`,
    expected: 'a runner that waits for its answer',
    actual: `${count} polls`,
  });
}

async function survivesBrokenPoll(context: CaseContext): Promise<void> {
  const dialled = await startDialled(context);
  await pollAfter(dialled, 0);
  const before = dialled.plane.of('poll').length;
  dialled.dialIn.cut();
  const again = await pollAfter(dialled, before);
  must(again, { sent: 'a broken connection to a poll', expected: 'another poll', actual: 'none' });
}

async function registersAgainWhenUnknown(context: CaseContext): Promise<void> {
  const dialled = await startDialled(context, {
    script: {
      holdMs: SHORT_HOLD_MS,
      answer: ({ kind, index }) =>
        kind === 'poll' && index === 1 ? { error: 'RUNNER_NOT_FOUND' } : undefined,
    },
  });
  const again = await registration(dialled, 1);
  must(again, { sent: '404 RUNNER_NOT_FOUND to a poll', expected: 'a registration', actual: 'none' });
}

async function namesFreeSlots(context: CaseContext): Promise<void> {
  const fixture = context.fixture('conformance.sleep');
  const maxConcurrency = context.runner.description.maxConcurrency;
  if (maxConcurrency === undefined) throw new NotApplicable('the runner declares no maxConcurrency');
  if (Math.min(maxConcurrency, fixture.maxConcurrency) < 3)
    throw new NotApplicable('the runner has fewer than three slots');
  const dialled = await startDialled(context, { script: { holdMs: SHORT_HOLD_MS } });
  const running = [0, 1].map(() => offerFixture(context, dialled, ['conformance.sleep', { ms: 6_000 }]));
  for (const offered of running) await mustBegin(dialled, offered);
  const next = await pollAfter(dialled, dialled.plane.of('poll').length + 1);
  const asked = memberOf(next?.json, 'maxExecutions');
  must(typeof asked === 'number' && asked <= Math.max(0, maxConcurrency - running.length), {
    sent: `${running.length} executions that run, of ${maxConcurrency} slots`,
    expected: `polls with maxExecutions of at most ${Math.max(0, maxConcurrency - running.length)}`,
    actual: String(asked),
  });
}

const session = (token: string): { readonly sessionCredential: Readonly<Record<string, string>> } => ({
  sessionCredential: { token, expiresAt: new Date(Date.now() + DEFAULTS.sessionMs).toISOString() },
});

const bearerOf = ({ headers }: RecordedMessage): string | undefined => headers['authorization'];

async function usesSession(context: CaseContext): Promise<void> {
  const dialled = await startDialled(context, {
    script: { answer: ({ kind }) => (kind === 'register' ? { members: session(SESSION) } : undefined) },
  });
  await mustEnd(dialled, offerSubject(context, dialled));
  const stray = dialled.plane.messages.find(
    (message) =>
      ['poll', 'accept', 'events', 'heartbeat'].includes(message.kind) &&
      bearerOf(message) !== `Bearer ${SESSION}`,
  );
  must(!stray, {
    sent: 'a sessionCredential in the reply to the registration',
    expected: 'it as bearer of every other request',
    actual: `${stray?.method} ${stray?.path} ${stray && bearerOf(stray) ? 'has another' : 'has none'}`,
  });
}

async function renewsSession(context: CaseContext): Promise<void> {
  const dialled = await startDialled(context, {
    script: {
      holdMs: SHORT_HOLD_MS,
      answer: ({ kind }) =>
        kind === 'register'
          ? { members: session(SESSION) }
          : kind === 'heartbeat'
            ? { members: session(NEWER_SESSION) }
            : undefined,
    },
  });
  const renewed = await eventually(
    () => dialled.plane.of('poll').find((poll) => bearerOf(poll) === `Bearer ${NEWER_SESSION}`),
    { ms: PATIENCE_MS, signal: context.signal },
  );
  must(renewed, {
    sent: 'a newer sessionCredential in the reply to a beat',
    expected: 'polls with it',
    actual: 'none',
  });
}

export const longPollCases: readonly Case[] = [
  { id: 'long-poll.polls-again', judge: pollsAgain },
  { id: 'long-poll.waits-while-held', leastMs: 25_000, judge: waitsWhileHeld },
  { id: 'long-poll.survives-broken-poll', judge: survivesBrokenPoll },
  { id: 'long-poll.registers-again-when-unknown', judge: registersAgainWhenUnknown },
  { id: 'long-poll.names-free-slots', judge: namesFreeSlots },
  { id: 'long-poll.uses-session-credential', judge: usesSession },
  { id: 'long-poll.renews-session-credential', judge: renewsSession },
];
