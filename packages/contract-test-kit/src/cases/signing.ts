import { ErrorEnvelope } from '@controlplane/contracts';
import type { Case, CaseContext, JudgedRunner } from '../case/case.js';
import { memberOf, must, mustReply } from '../case/expect.js';
import { pause } from '../harness/pause.js';
import type { Exchange } from '../harness/exchange.js';
import { newExecution } from '../harness/runner-client.js';
import { signatureHeaders, signingKey } from '../harness/signature.js';

const KEY = signingKey('current');
const NEXT_KEY = signingKey('next');
const FOREIGN_KEY = signingKey('foreign');
/** Twice as far as a time may be from now. */
const FAR_SECONDS = 600;
const WAIT_MS = 5_000;
const TRY_MS = 100;

/** A runner that was given a key. */
function startSigned(context: CaseContext): Promise<JudgedRunner> {
  return context.startRunner({
    script: { answer: ({ kind }) => (kind === 'register' ? { members: { signingKey: KEY } } : undefined) },
  });
}

function bodyOf(context: CaseContext): string {
  const { capability, input } = context.subject();
  return JSON.stringify(newExecution(capability.id, input));
}

type Headers = Readonly<Record<string, string>>;

function dispatch({ client }: JudgedRunner, body: string, headers: Headers): Promise<Exchange> {
  return client.send({
    method: 'POST',
    url: client.urls.execute,
    headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
    body,
  });
}

const isRefused = ({ status, json }: Exchange): boolean => {
  const envelope = ErrorEnvelope.safeParse(memberOf(json, 'error'));
  return status === 401 && envelope.success && envelope.data.code === 'SIGNATURE_INVALID';
};

function mustTake(exchange: Exchange): void {
  mustReply(
    !isRefused(exchange) && typeof memberOf(exchange.json, 'success') === 'boolean',
    'an outcome: the dispatch is signed',
    exchange,
  );
}

function mustRefuse(exchange: Exchange, why: string): void {
  mustReply(isRefused(exchange), `401 SIGNATURE_INVALID: ${why}`, exchange);
}

function dispatchSigned(
  context: CaseContext,
  runner: JudgedRunner,
  keys: readonly string[],
): Promise<Exchange> {
  const body = bodyOf(context);
  return dispatch(runner, body, signatureHeaders(body, keys));
}

/** A reply is read before its key counts: the first dispatch may come a moment too early. */
async function takenSoon(
  context: CaseContext,
  runner: JudgedRunner,
  keys: readonly string[],
): Promise<Exchange> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const exchange = await dispatchSigned(context, runner, keys);
    if (!isRefused(exchange) || performance.now() > deadline) return exchange;
    await pause(TRY_MS, context.signal);
  }
}

/** Waits until the runner has its key: from then on it refuses what is not signed. */
async function startKeyed(context: CaseContext): Promise<JudgedRunner> {
  const runner = await startSigned(context);
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const exchange = await dispatch(runner, bodyOf(context), {});
    if (isRefused(exchange) || performance.now() > deadline) return runner;
    await pause(TRY_MS, context.signal);
  }
}

async function refusesUnsigned(context: CaseContext): Promise<void> {
  const runner = await startKeyed(context);
  mustRefuse(await dispatch(runner, bodyOf(context), {}), 'the dispatch carries no signature');
}

/** Signs a body in a wrong way and expects a refusal, after one that is signed well was taken. */
const refuses =
  (
    why: string,
    sign: (body: string) => { readonly body?: string; readonly headers: Headers },
  ): Case['judge'] =>
  async (context) => {
    const runner = await startKeyed(context);
    mustTake(await dispatchSigned(context, runner, [KEY]));
    const body = bodyOf(context);
    const wrong = sign(body);
    mustRefuse(await dispatch(runner, wrong.body ?? body, wrong.headers), why);
  };

async function refusesReplayed(context: CaseContext): Promise<void> {
  const runner = await startKeyed(context);
  const body = bodyOf(context);
  const headers = signatureHeaders(body, [KEY]);
  mustTake(await dispatch(runner, body, headers));
  mustRefuse(await dispatch(runner, body, headers), 'the same message came before');
}

async function refusesUnsignedCancel(context: CaseContext): Promise<void> {
  const runner = await startKeyed(context);
  const exchange = await runner.client.cancel('kit-no-such-execution');
  mustRefuse(exchange, 'the cancel request carries no signature');
}

async function takesTheNewKey(context: CaseContext): Promise<void> {
  const runner = await context.startRunner({
    script: {
      answer: ({ kind, index }) => {
        if (kind === 'register') return { members: { signingKey: index === 0 ? KEY : NEXT_KEY } };
        return kind === 'heartbeat' && index === 0
          ? { members: { known: false, receiving: false } }
          : undefined;
      },
    },
  });
  const again = await runner.controlPlane?.waitFor(({ kind, index }) => kind === 'register' && index === 1, {
    timeoutMs: WAIT_MS,
    signal: context.signal,
  });
  must(again, {
    sent: 'known=false in the reply to a beat',
    expected: 'a registration, to be answered with a new signingKey',
    actual: 'none',
  });
  mustTake(await takenSoon(context, runner, [NEXT_KEY]));
}

export const signingCases: readonly Case[] = [
  {
    id: 'security.accepts-signed-dispatch',
    judge: async (context) => mustTake(await dispatchSigned(context, await startKeyed(context), [KEY])),
  },
  { id: 'security.refuses-unsigned-dispatch', judge: refusesUnsigned },
  {
    id: 'security.refuses-foreign-signature',
    judge: refuses('signed with another key', (body) => ({ headers: signatureHeaders(body, [FOREIGN_KEY]) })),
  },
  {
    id: 'security.refuses-altered-body',
    judge: refuses('the body is not the one that was signed', (body) => ({
      body: body.replace('"attempt":1', '"attempt":2'),
      headers: signatureHeaders(body, [KEY]),
    })),
  },
  { id: 'security.refuses-replayed-dispatch', judge: refusesReplayed },
  {
    id: 'security.refuses-old-dispatch',
    judge: refuses('signed ten minutes ago', (body) => ({
      headers: signatureHeaders(body, [KEY], { offsetSeconds: -FAR_SECONDS }),
    })),
  },
  {
    id: 'security.refuses-future-dispatch',
    judge: refuses('signed ten minutes ahead', (body) => ({
      headers: signatureHeaders(body, [KEY], { offsetSeconds: FAR_SECONDS }),
    })),
  },
  {
    id: 'security.accepts-one-of-several-signatures',
    judge: async (context) =>
      mustTake(await dispatchSigned(context, await startKeyed(context), [FOREIGN_KEY, KEY])),
  },
  { id: 'security.refuses-unsigned-cancel', judge: refusesUnsignedCancel },
  { id: 'security.takes-the-new-key', judge: takesTheNewKey },
];
