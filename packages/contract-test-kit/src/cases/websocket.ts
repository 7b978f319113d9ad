import { DEFAULTS, WEBSOCKET_PROTOCOL } from '@controlplane/contracts';
import type { Case, CaseContext } from '../case/case.js';
import {
  mustEnd,
  offerSubject,
  registration,
  sharedDialled,
  startDialled,
  type Dialled,
} from '../case/dialled.js';
import { memberOf, must } from '../case/expect.js';
import { shorten } from '../case/wire-rules.js';
import { eventually } from '../case/wait.js';
import type { Connection } from '../harness/dial-in/dial-in.js';
import { PATIENCE_MS, pause } from '../harness/pause.js';
import type { RecordedMessage } from '../harness/recording-control-plane.js';

/** Two intervals of 10 s, between pings and until one is answered, and what a busy machine needs. */
const SILENCE_NOTICED_MS = 35_000;
/** A runner that goes on asking does so within this. */
const STILL_MS = 2_500;

function speaksSubprotocol(context: CaseContext): void {
  const [first] = sharedDialled(context).plane.of('connect');
  const offered = first?.headers['sec-websocket-protocol'];
  must(offered?.split(/, */).includes(WEBSOCKET_PROTOCOL), {
    sent: 'JOBFORGE_URL, to be dialled at /runners/connect',
    expected: `the subprotocol ${WEBSOCKET_PROTOCOL}`,
    actual: offered ?? 'none',
  });
}

const framesOf = ({ plane }: Dialled, { index }: Connection): readonly RecordedMessage[] =>
  plane.messages.filter(({ connection }) => connection === index);

async function registersFirst(context: CaseContext): Promise<void> {
  const dialled = await startDialled(context);
  dialled.dialIn.cut();
  await registration(dialled, 1);
  const firsts = dialled.dialIn.connections.flatMap((one) => framesOf(dialled, one)[0] ?? []);
  const stray = firsts.find(({ kind }) => kind !== 'register');
  must(!stray && firsts.length > 1, {
    sent: 'a connection, and another after it broke',
    expected: 'register as the first frame of each',
    actual: stray ? shorten(`${stray.path} ${stray.text}`) : `${firsts.length} connections with a frame`,
  });
}

function saysItsDelivery(context: CaseContext): void {
  const [first] = sharedDialled(context).plane.of('register');
  const said = memberOf(first?.json, 'delivery', 'kind');
  must(said === 'websocket', {
    sent: 'a socket that was opened',
    expected: 'delivery.kind websocket in the registration',
    actual: String(said),
  });
}

async function answersPings(context: CaseContext): Promise<void> {
  const { plane, dialIn, signal } = sharedDialled(context);
  const live = dialIn.connections.at(-1);
  plane.sockets.ping();
  const answered = await eventually(() => (live?.pongs.length ?? 0) > 0, { ms: 5_000, signal });
  must(answered, { sent: 'a ping', expected: 'a pong within 5 s', actual: 'none' });
}

async function noticesSilence(context: CaseContext): Promise<void> {
  const dialled = await startDialled(context);
  dialled.plane.sockets.freeze();
  const again = await registration(dialled, 1, SILENCE_NOTICED_MS);
  must(again, {
    sent: 'a connection over which nothing is answered any more, and which stays open',
    expected: `another connection within ${SILENCE_NOTICED_MS / 1000} s`,
    actual: 'none',
  });
}

/** Starts a runner whose registration is not answered. */
function startUnanswered(context: CaseContext): Promise<Dialled> {
  return startDialled(context, {
    awaitRegistration: false,
    script: { answer: ({ kind, index }) => (kind === 'register' && index === 0 ? 'silence' : undefined) },
  });
}

async function waitsForReady(context: CaseContext): Promise<void> {
  const dialled = await startUnanswered(context);
  await registration(dialled, 0);
  await pause(STILL_MS, context.signal);
  const early = dialled.plane.messages.find(
    ({ connection, kind }) => connection === 0 && kind !== 'register',
  );
  must(!early, {
    sent: 'no answer to register',
    expected: 'no other frame before ready',
    actual: shorten(`${early?.path} ${early?.text}`),
  });
}

async function givesUpWithoutReady(context: CaseContext): Promise<void> {
  const dialled = await startUnanswered(context);
  const again = await registration(dialled, 1, DEFAULTS.handshakeMs + PATIENCE_MS);
  must(again, {
    sent: 'no answer to register',
    expected: `another connection, ${DEFAULTS.handshakeMs / 1000} s later`,
    actual: 'none',
  });
}

async function stopsWhenUpgradeRefused(context: CaseContext): Promise<void> {
  const dialled = await startDialled(context, {
    awaitRegistration: false,
    mayEnd: true,
    script: { answer: ({ kind }) => (kind === 'connect' ? { error: 'TOKEN_REVOKED' } : undefined) },
  });
  await eventually(() => dialled.plane.of('connect')[0], { ms: PATIENCE_MS, signal: context.signal });
  await pause(STILL_MS, context.signal);
  const count = dialled.plane.of('connect').length;
  must(count === 1, {
    sent: '401 TOKEN_REVOKED to the upgrade',
    expected: 'no further attempt',
    actual: `${count} attempts within ${STILL_MS / 1000} s`,
  });
}

async function leavesWithAFrame(context: CaseContext): Promise<void> {
  const dialled = await startDialled(context);
  dialled.runner.process?.signal('SIGTERM');
  const left = await dialled.plane.waitFor(({ kind }) => kind === 'deregister', {
    timeoutMs: PATIENCE_MS,
    signal: context.signal,
  });
  must(left?.method === 'FRAME', {
    sent: 'SIGTERM',
    expected: 'a deregister frame over the socket',
    actual: left ? `${left.method} ${left.path}` : 'none',
  });
}

async function survivesGarbage(context: CaseContext): Promise<void> {
  const dialled = await startDialled(context);
  dialled.dialIn.say('{"type": "offers", "executions": [half');
  const offered = offerSubject(context, dialled);
  const ended = await Promise.race([
    mustEnd(dialled, offered),
    dialled.runner.process?.ended.then(({ code, signal }) => signal ?? `code ${code}`),
  ]);
  must(typeof ended === 'object', {
    sent: 'a message that is no JSON, then an offer',
    expected: 'the offer to be done, over this connection or the next',
    actual: `the runner ended (${typeof ended === 'string' ? ended : 'with the connection'})`,
  });
}

export const websocketCases: readonly Case[] = [
  { id: 'websocket.speaks-subprotocol', judge: speaksSubprotocol },
  { id: 'websocket.registers-first', judge: registersFirst },
  { id: 'websocket.says-its-delivery', judge: saysItsDelivery },
  { id: 'websocket.answers-pings', judge: answersPings },
  { id: 'websocket.notices-silence', leastMs: 25_000, judge: noticesSilence },
  { id: 'websocket.waits-for-ready', judge: waitsForReady },
  { id: 'websocket.gives-up-without-ready', leastMs: 15_000, judge: givesUpWithoutReady },
  { id: 'websocket.stops-when-upgrade-refused', judge: stopsWhenUpgradeRefused },
  { id: 'websocket.leaves-with-a-frame', judge: leavesWithAFrame },
  { id: 'websocket.survives-garbage', judge: survivesGarbage },
];
