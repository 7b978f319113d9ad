import { RunnerRegistrationRequest } from '@controlplane/contracts';
import type { Case, CaseContext } from '../case/case.js';
import { memberOf, must, mustReply } from '../case/expect.js';
import { mustTakeReplies } from '../case/goes-on.js';
import { NotEvaluable } from '../case/verdict.js';
import { shorten } from '../case/wire-rules.js';
import { NoAnswer, send, type Exchange } from '../harness/exchange.js';
import { pause } from '../harness/pause.js';
import type { RecordedMessage } from '../harness/recorded-message.js';

/** How long a runner is watched that is refused again and again, and how often it may ask in that time. */
const WATCH_MS = 3_000;
const MOST_TRIES = 15;
const RETRY_AFTER_SECONDS = 2;
const AGAIN_MS = 15_000;
const SILENCE_MS = 2_500;
const YEARS_AGO = '2011-03-14T15:09:26.000Z';

function registrationOf({ runner }: CaseContext): RecordedMessage {
  const message = runner.controlPlane?.of('register').at(-1);
  if (!message) throw new NotEvaluable('no registration arrived');
  return message;
}

async function namesItsProcess(context: CaseContext): Promise<void> {
  const { controlPlane } = await context.startRunner();
  const other = controlPlane?.of('register').at(-1);
  if (!other) throw new NotEvaluable('no registration arrived');
  const first = memberOf(registrationOf(context).json, 'instanceId');
  const second = memberOf(other.json, 'instanceId');
  must(typeof first === 'string' && typeof second === 'string' && first !== second, {
    sent: shorten(other.text),
    expected: 'an instanceId, a new one at each start',
    actual: `instanceId ${String(first)}, then ${String(second)}`,
  });
}

/** Asks for health at the moment of the registration, before it is answered. */
function askBack({ json }: RecordedMessage): Promise<Exchange | NoAnswer> {
  const url = memberOf(json, 'healthCheckEndpoint');
  if (typeof url !== 'string' || !/^https?:/.test(url) || !URL.canParse(url))
    throw new NotEvaluable('the registration names no health endpoint');
  return send({ method: 'GET', url }, { signal: AbortSignal.timeout(AGAIN_MS) }).catch((error: unknown) => {
    if (error instanceof NoAnswer) return error;
    throw error;
  });
}

async function answersWhenItRegisters(context: CaseContext): Promise<void> {
  let asked: Promise<Exchange | NoAnswer> | undefined;
  await context.startRunner({
    script: {
      answer: (message) => {
        if (message.kind !== 'register') return undefined;
        asked ??= Promise.resolve(message).then(askBack);
        // The case looks at it later, when the start is through.
        asked.catch(() => {});
        return { afterMs: 100 };
      },
    },
  });
  if (!asked) throw new NotEvaluable('no registration arrived');
  const health = await asked;
  must(!(health instanceof NoAnswer), {
    sent: 'GET health as soon as the registration arrives',
    expected: 'an answer: work may come at once',
    actual: health instanceof NoAnswer ? health.reason : '',
  });
}

async function servesItsExecuteUrl(context: CaseContext): Promise<void> {
  const registration = RunnerRegistrationRequest.safeParse(registrationOf(context).json).data;
  if (!registration) throw new NotEvaluable('no valid registration arrived');
  const { delivery, healthCheckEndpoint = '' } = registration;
  const named = delivery?.kind === 'push' ? delivery.executeUrl : undefined;
  const exchange = await context.runner.client.send({
    method: 'POST',
    url: named ?? new URL('execute', healthCheckEndpoint).href,
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  mustReply(
    exchange.status >= 400 && exchange.status !== 404 && exchange.status !== 405,
    'a refusal of the empty request, from the execute URL that the registration names',
    exchange,
  );
}

function declaresItsSlots(context: CaseContext): void {
  const message = registrationOf(context);
  const slots = memberOf(message.json, 'maxConcurrency');
  must(typeof slots === 'number' && Number.isInteger(slots) && slots > 0, {
    sent: shorten(message.text),
    expected: 'maxConcurrency, a whole number above 0',
    actual: `maxConcurrency ${String(slots)}`,
  });
}

async function registersOnce({ runner, signal }: CaseContext): Promise<void> {
  const plane = runner.controlPlane;
  await plane?.waitFor(({ kind, index }) => kind === 'heartbeat' && index === 2, {
    timeoutMs: 3_000,
    signal,
  });
  const count = plane?.of('register').length ?? 0;
  if (count === 0) throw new NotEvaluable('no registration arrived');
  must(count === 1, {
    sent: 'a registration that is accepted, and beats that are known',
    expected: 'one registration',
    actual: `${count} registrations`,
  });
}

/** A case whose reply to the registration has unusual members. */
const takesReply = (id: string, members: Readonly<Record<string, unknown>>, sent: string): Case => ({
  id,
  judge: async (context) => {
    const answer = ({ kind }: RecordedMessage) => (kind === 'register' ? { members } : undefined);
    await mustTakeReplies(context, { answer }, sent);
  },
});

async function waitsAsTold(context: CaseContext): Promise<void> {
  const { controlPlane } = await context.startRunner({
    awaitRegistration: false,
    script: {
      answer: ({ kind, index }) =>
        kind === 'register' && index === 0
          ? { error: 'AUTH_RATE_LIMITED', retryAfterSeconds: RETRY_AFTER_SECONDS }
          : undefined,
    },
  });
  const sent = `429 with retry-after ${RETRY_AFTER_SECONDS} to the first registration`;
  const second = await controlPlane?.waitFor(({ kind, index }) => kind === 'register' && index === 1, {
    timeoutMs: AGAIN_MS,
    signal: context.signal,
  });
  must(second, { sent, expected: `a second registration within ${AGAIN_MS / 1000} s`, actual: 'none' });
  const gap = second.at - (controlPlane?.of('register')[0]?.at ?? 0);
  // Timers may fire a little early.
  must(gap >= RETRY_AFTER_SECONDS * 1_000 - 100, {
    sent,
    expected: `the second registration no sooner than ${RETRY_AFTER_SECONDS} s after the first`,
    actual: `${Math.round(gap)} ms after it`,
  });
}

async function backsOff(context: CaseContext): Promise<void> {
  const { controlPlane } = await context.startRunner({
    awaitRegistration: false,
    script: { answer: ({ kind }) => (kind === 'register' ? { error: 'SHUTTING_DOWN' } : undefined) },
  });
  const options = { timeoutMs: AGAIN_MS, signal: context.signal };
  const first = await controlPlane?.waitFor(({ kind }) => kind === 'register', options);
  if (!first) throw new NotEvaluable('no registration arrived');
  await pause(WATCH_MS, context.signal);
  const count = controlPlane?.of('register').length ?? 0;
  must(count <= MOST_TRIES, {
    sent: '503 to every registration',
    expected: `at most ${MOST_TRIES} registrations in ${WATCH_MS / 1000} s, with pauses that grow`,
    actual: `${count} registrations`,
  });
}

async function stopsWhenRevoked(context: CaseContext): Promise<void> {
  const { controlPlane } = await context.startRunner({
    awaitRegistration: false,
    mayEnd: true,
    env: { RUNNER_TOKEN: 'kit-revoked.0000000000' },
    script: { answer: ({ kind }) => (kind === 'register' ? { error: 'TOKEN_REVOKED' } : undefined) },
  });
  const options = { timeoutMs: AGAIN_MS, signal: context.signal };
  const first = await controlPlane?.waitFor(({ kind }) => kind === 'register', options);
  if (!first) throw new NotEvaluable('no registration arrived');
  await pause(SILENCE_MS, context.signal);
  const count = controlPlane?.of('register').length ?? 0;
  must(count === 1, {
    sent: '401 TOKEN_REVOKED to the registration',
    expected: 'no further registration with that token',
    actual: `${count} registrations within ${SILENCE_MS / 1000} s`,
  });
}

export const identityCases: readonly Case[] = [
  { id: 'registration.names-its-process', judge: namesItsProcess },
  { id: 'registration.answers-when-it-registers', judge: answersWhenItRegisters },
  { id: 'registration.serves-its-execute-url', judge: servesItsExecuteUrl },
  { id: 'registration.declares-its-slots', judge: declaresItsSlots },
  { id: 'registration.registers-once', judge: registersOnce },
  takesReply(
    'registration.accepts-newer-minor',
    { contractVersion: { major: 1, minor: 9, patch: 3 } },
    'contractVersion 1.9.3 in the reply to the registration',
  ),
  takesReply(
    'registration.accepts-version-text',
    { contractVersion: '1.0.0' },
    'contractVersion "1.0.0", as text, in the reply to the registration',
  ),
  takesReply(
    'registration.tolerates-clock-skew',
    { registeredAt: YEARS_AGO },
    `registeredAt ${YEARS_AGO} in the reply to the registration`,
  ),
  { id: 'registration.waits-as-told', judge: waitsAsTold },
  { id: 'registration.backs-off', judge: backsOff },
  { id: 'registration.stops-when-revoked', judge: stopsWhenRevoked },
];
