import type { Case, CaseContext } from '../case/case.js';
import {
  contactOf,
  mustEnd,
  offerBody,
  offerFixture,
  offerSubject,
  sayTold,
  sharedDialled,
  startDialled,
  type Dialled,
} from '../case/dialled.js';
import { must } from '../case/expect.js';
import { NotEvaluable } from '../case/verdict.js';
import { shorten } from '../case/wire-rules.js';
import { PATIENCE_MS } from '../harness/pause.js';
import type { DialInKind } from '../harness/dial-in/dial-in.js';
import type { RecordedMessage } from '../harness/recording-control-plane.js';
import { newExecution } from '../harness/runner-client.js';

const LIMIT_BYTES = 16 * 1024;
const MANY_LINES = 300;
const TOKEN = 'kit-enrollment.3c9e4f1b7a2d4e58';

async function validMessages(context: CaseContext): Promise<void> {
  const dialled = sharedDialled(context);
  await mustEnd(dialled, offerSubject(context, dialled));
  const bad = dialled.plane.messages.find(({ issues }) => issues.length > 0);
  must(!bad, {
    sent: shorten(`${bad?.method} ${bad?.path} ${bad?.text}`),
    expected: 'messages that match the contract',
    actual: bad?.issues.slice(0, 5).join('; ') ?? '',
  });
}

async function seqRises(context: CaseContext): Promise<void> {
  const dialled = sharedDialled(context);
  const offered = offerFixture(context, dialled, ['conformance.logs', { lines: 5 }]);
  await mustEnd(dialled, offered);
  const seqs = offered.told.map(({ event }) => event.seq);
  const rises = seqs.every((seq, index) => index === 0 || seq > (seqs[index - 1] ?? 0));
  must(rises, { sent: 'one execution', expected: 'a seq that rises', actual: sayTold(offered) });
}

async function carriesLease(context: CaseContext): Promise<void> {
  const dialled = sharedDialled(context);
  const offered = offerSubject(context, dialled);
  const { executionId, leaseToken } = offered.body;
  const own = ({ kind, path, text }: RecordedMessage): boolean =>
    (kind === 'accept' || kind === 'events') && `${path} ${text}`.includes(executionId);
  const mustCarry = (message: RecordedMessage): void =>
    must(message.text.includes(String(leaseToken)), {
      sent: `an offer with leaseToken ${String(leaseToken)}`,
      expected: 'it in every claim and with all events',
      actual: shorten(`${message.kind} ${message.text}`),
    });
  const said = await dialled.plane.waitFor(own, { timeoutMs: PATIENCE_MS, signal: context.signal });
  if (!said) throw new NotEvaluable('it was neither claimed nor told of');
  mustCarry(said);
  await mustEnd(dialled, offered);
  for (const message of dialled.plane.messages.filter(own)) mustCarry(message);
}

async function ignoresUnknown(context: CaseContext): Promise<void> {
  const dialled = sharedDialled(context);
  dialled.dialIn.say({ type: 'kit.future', kitFutureMember: [1] });
  dialled.dialIn.direct({ kind: 'kit.future', nested: { value: 1 } });
  const { capability, input } = context.subject();
  const offered = offerBody(
    dialled,
    newExecution(capability.id, input, { kitFutureMember: { nested: [1] } }),
  );
  const { event } = await mustEnd(dialled, offered);
  const plain = offerSubject(context, dialled);
  const usual = await mustEnd(dialled, plain);
  must(event.type === usual.event.type, {
    sent: 'a frame, a directive and a member of an offer that nobody knows',
    expected: `the offer to end as any other: ${usual.event.type}`,
    actual: sayTold(offered),
  });
}

async function isolatesBadOffer(context: CaseContext): Promise<void> {
  const dialled = sharedDialled(context);
  const { capability, input } = context.subject();
  const good = newExecution(capability.id, input);
  const bad = { ...newExecution(capability.id, input), jobId: 7, payload: 'text' };
  const [, offered] = dialled.dialIn.offer(bad as unknown as typeof good, good);
  if (!offered) throw new Error('nothing was offered');
  const { event } = await mustEnd(dialled, offered);
  must(event.type !== 'failed' || event.error.category !== 'VALIDATION_ERROR', {
    sent: 'two offers in one frame, the first of them malformed',
    expected: 'the second to run',
    actual: sayTold(offered),
  });
}

const eventMessages = ({ plane }: Dialled, executionId: string): readonly RecordedMessage[] =>
  plane.of('events').filter(({ path, text }) => `${path} ${text}`.includes(executionId));

async function keepsMessagesSmall(context: CaseContext): Promise<void> {
  const limits = { maxBodyBytes: LIMIT_BYTES, maxLogBytes: 4 * LIMIT_BYTES };
  const dialled = await startDialled(context, {
    script: { answer: ({ kind }) => (kind === 'register' ? { members: { limits } } : undefined) },
  });
  const offered = offerFixture(context, dialled, ['conformance.logs', { lines: MANY_LINES }]);
  await mustEnd(dialled, offered);
  const sizes = eventMessages(dialled, offered.body.executionId).map(({ text }) => Buffer.byteLength(text));
  const longest = Math.max(...sizes);
  must(longest <= LIMIT_BYTES, {
    sent: `limits.maxBodyBytes ${LIMIT_BYTES}, and an execution with ${MANY_LINES} log lines`,
    expected: `messages of at most ${LIMIT_BYTES} bytes`,
    actual: `one of ${longest} bytes`,
  });
}

async function gathersEvents(context: CaseContext): Promise<void> {
  const dialled = sharedDialled(context);
  const offered = offerFixture(context, dialled, ['conformance.logs', { lines: MANY_LINES }]);
  await mustEnd(dialled, offered);
  const count = eventMessages(dialled, offered.body.executionId).length;
  must(count <= MANY_LINES / 2, {
    sent: `an execution that logs ${MANY_LINES} lines at once`,
    expected: 'events gathered into fewer messages',
    actual: `${count} messages`,
  });
}

const isAbout = (kind: DialInKind) =>
  new Set(kind === 'websocket' ? ['connect'] : ['register', 'poll', 'accept', 'events', 'heartbeat']);

async function withToken(context: CaseContext): Promise<Dialled> {
  const dialled = await startDialled(context, { env: { RUNNER_TOKEN: TOKEN } });
  await mustEnd(dialled, offerSubject(context, dialled));
  return dialled;
}

const keepsCredentialOutOfUrl =
  (kind: DialInKind) =>
  async (context: CaseContext): Promise<void> => {
    const { plane } = await withToken(context);
    const asked = plane.messages.filter((message) => isAbout(kind).has(message.kind));
    const leak = asked.find(({ path, query }) => `${path}?${query}`.includes(TOKEN.slice(0, 20)));
    must(!leak, {
      sent: 'a credential in RUNNER_TOKEN',
      expected: 'no trace of it in a URL',
      actual: `${leak?.method} ${leak?.path} has it in its query`,
    });
  };

const authenticates =
  (kind: DialInKind) =>
  async (context: CaseContext): Promise<void> => {
    const { plane } = await withToken(context);
    const about = kind === 'websocket' ? contactOf(kind) : 'register';
    const [first] = plane.of(about);
    must(first?.headers['authorization'] === `Bearer ${TOKEN}`, {
      sent: 'a credential in RUNNER_TOKEN',
      expected: `it as bearer in the authorization header of the first ${about}`,
      actual: first?.headers['authorization'] === undefined ? 'no such header' : 'another value',
    });
  };

/** What is said, for runners that dial in so. */
export const messageCases = (kind: DialInKind): readonly Case[] => [
  { id: `${kind}.valid-messages`, judge: validMessages },
  { id: `${kind}.seq-rises`, judge: seqRises },
  { id: `${kind}.carries-lease-token`, judge: carriesLease },
  { id: `${kind}.ignores-unknown`, judge: ignoresUnknown },
  { id: `${kind}.isolates-bad-offer`, judge: isolatesBadOffer },
  { id: `${kind}.keeps-messages-small`, judge: keepsMessagesSmall },
  { id: `${kind}.gathers-events`, alone: true, judge: gathersEvents },
  { id: `${kind}.keeps-credential-out-of-url`, judge: keepsCredentialOutOfUrl(kind) },
  { id: `${kind}.authenticates`, judge: authenticates(kind) },
];
