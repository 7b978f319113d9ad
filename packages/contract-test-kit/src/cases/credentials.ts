import type { Case, CaseContext } from '../case/case.js';
import { must, mustKeepRule, mustReply } from '../case/expect.js';
import { sessionViolations } from '../case/session-rules.js';
import { Mismatch, NotEvaluable } from '../case/verdict.js';
import { within } from '../case/wait.js';
import { CREDENTIAL_CANARY, SECRET_CANARY, TOKEN_CANARY } from '../harness/canaries.js';
import type { RecordedMessage } from '../harness/recorded-message.js';
import { newExecution, type ExecutionExchange } from '../harness/runner-client.js';

const BEAT_WAIT_MS = 10_000;
const EXIT_MS = 10_000;
const NEWER_TOKEN = `${CREDENTIAL_CANARY}-newer`;

const UNKNOWN_VALUE = 'kit-unknown-3e9d0c72a1b84f56';

const bearer = (token: string): string => `Bearer ${token}`;

/** What a message proved itself with, for a finding: never the credential itself. */
function shown({ headers }: RecordedMessage, expected: string): string {
  const given = headers['authorization'];
  if (given === undefined) return 'no authorization header';
  return given === expected ? 'that credential' : 'another authorization header';
}

async function sendsItsToken(context: CaseContext): Promise<void> {
  const { controlPlane } = await context.startRunner({ env: { RUNNER_TOKEN: TOKEN_CANARY } });
  const message = controlPlane?.of('register')[0];
  if (!message) throw new NotEvaluable('no registration arrived');
  must(message.headers['authorization'] === bearer(TOKEN_CANARY), {
    sent: 'RUNNER_TOKEN in the environment',
    expected: 'authorization: Bearer, and that token, with the registration',
    actual: shown(message, bearer(TOKEN_CANARY)),
  });
}

const isBeat = (fits: (message: RecordedMessage) => boolean) => (message: RecordedMessage) =>
  message.kind === 'heartbeat' && fits(message);

async function sendsItsSession(context: CaseContext): Promise<void> {
  const plane = context.runner.controlPlane;
  const beat = await plane?.waitFor(
    isBeat(() => true),
    { timeoutMs: BEAT_WAIT_MS, signal: context.signal },
  );
  if (!beat) throw new NotEvaluable('no beat arrived');
  must(beat.headers['authorization'] === bearer(CREDENTIAL_CANARY), {
    sent: 'a sessionCredential in the reply to the registration',
    expected: 'authorization: Bearer, and that credential, with every beat',
    actual: shown(beat, bearer(CREDENTIAL_CANARY)),
  });
}

async function takesTheNewerSession(context: CaseContext): Promise<void> {
  const sessionCredential = { token: NEWER_TOKEN, expiresAt: new Date(Date.now() + 900_000).toISOString() };
  const { controlPlane } = await context.startRunner({
    script: {
      answer: ({ kind, index }) =>
        kind === 'heartbeat' && index === 0 ? { members: { sessionCredential } } : undefined,
    },
  });
  const options = { timeoutMs: BEAT_WAIT_MS, signal: context.signal };
  const first = await controlPlane?.waitFor(
    isBeat(({ index }) => index === 0),
    options,
  );
  if (!first) throw new NotEvaluable('no beat arrived');
  const newer = await controlPlane?.waitFor(
    isBeat(({ headers }) => headers['authorization'] === bearer(NEWER_TOKEN)),
    options,
  );
  const beats = controlPlane?.of('heartbeat').length ?? 0;
  must(newer, {
    sent: 'another sessionCredential in the reply to the first beat',
    expected: 'authorization with the newer credential, from the next beat on',
    actual: `${beats} beats, none with it`,
  });
}

/** Asks a runner that holds every planted credential for all that it says, and lets it work and fail. */
async function askEverything(context: CaseContext) {
  const runner = await context.startRunner({ env: { RUNNER_TOKEN: TOKEN_CANARY } });
  const { client, controlPlane } = runner;
  await controlPlane?.waitFor(
    isBeat(() => true),
    { timeoutMs: 1_500, signal: context.signal },
  );
  const exchanges = [];
  for (const path of ['health', 'livez', 'readyz', 'manifest', 'status', '', 'kit-no-such-path'])
    exchanges.push(await client.get(path));
  exchanges.push(await client.execute(newExecution('kit.no-such-capability', {})));
  const secrets = { KIT_SECRET: SECRET_CANARY };
  const { capability, input } = context.subject();
  await client.execute(newExecution(capability.id, input, { secrets }));
  await client.execute(newExecution('kit.no-such-capability', {}, { secrets }));
  return { runner, exchanges };
}

async function keepsOutOfReplies(context: CaseContext): Promise<void> {
  const { exchanges } = await askEverything(context);
  for (const exchange of exchanges) mustKeepRule('security.keeps-credentials-out-of-replies', exchange);
}

/** A rule that is looked at when a runner has ended, after it was asked for everything. */
const keepsSessionRule = (id: string): Case => ({
  id,
  judge: async (context) => {
    const { runner } = await askEverything(context);
    runner.process?.signal('SIGTERM');
    if (runner.process) await within(runner.process.ended, { ms: EXIT_MS, signal: context.signal });
    for (const violation of sessionViolations(runner))
      if (violation.id === id) throw new Mismatch(violation.finding);
  },
});

/** Members that a runner does not know may hold anything: it has not been told that they may be written down. */
async function keepsUnknownFields(context: CaseContext): Promise<void> {
  const runner = await context.startRunner();
  const { capability, input } = context.subject();
  const unknown = { kitFutureMember: { note: UNKNOWN_VALUE } };
  await runner.client.execute(newExecution(capability.id, input, unknown));
  await runner.client.execute(newExecution('kit.no-such-capability', {}, unknown));
  runner.process?.signal('SIGTERM');
  if (runner.process) await within(runner.process.ended, { ms: EXIT_MS, signal: context.signal });
  must(!runner.process?.output().includes(UNKNOWN_VALUE), {
    sent: 'executions with a member that no runner knows',
    expected: 'nothing of it on stdout or stderr',
    actual: 'its value is there',
  });
}

async function withSecret(
  context: CaseContext,
  fixture: string,
  payload: Readonly<Record<string, unknown>>,
): Promise<ExecutionExchange> {
  const { id } = context.fixture(fixture);
  return context.runner.client.execute(newExecution(id, payload, { secrets: { KIT_SECRET: SECRET_CANARY } }));
}

async function hidesInErrors(context: CaseContext): Promise<void> {
  const message = `cannot log in with ${SECRET_CANARY} at the kit`;
  const exchange = await withSecret(context, 'conformance.fail', {
    code: 'KIT_EXPECTED',
    message,
    retryable: false,
  });
  mustReply(exchange.reply?.success === false, 'success=false', exchange);
  mustReply(!exchange.text.includes(SECRET_CANARY), 'an error without the value of the secret', {
    ...exchange,
    text: '',
  });
}

async function hidesStackTraces(context: CaseContext): Promise<void> {
  const { client, description } = context.runner;
  const exchanges = [
    await client.get('kit-no-such-path'),
    await client.execute(newExecution('kit.no-such-capability', {})),
    await client.send({
      method: 'POST',
      url: client.urls.execute,
      headers: { 'content-type': 'application/json' },
      body: '{"half',
    }),
  ];
  if (description.capabilities.some(({ id }) => id === 'conformance.fail')) {
    const payload = { code: 'KIT_EXPECTED', message: 'as the kit asked', retryable: false };
    exchanges.push(await client.execute(newExecution('conformance.fail', payload)));
  }
  for (const exchange of exchanges) mustKeepRule('security.hides-stack-traces', exchange);
}

export const credentialCases: readonly Case[] = [
  { id: 'security.sends-its-token', judge: sendsItsToken },
  { id: 'security.sends-its-session-credential', judge: sendsItsSession },
  { id: 'security.takes-the-newer-credential', judge: takesTheNewerSession },
  { id: 'security.keeps-credentials-out-of-replies', judge: keepsOutOfReplies },
  keepsSessionRule('security.keeps-credentials-out-of-urls'),
  keepsSessionRule('security.keeps-secrets-out-of-output'),
  { id: 'security.keeps-unknown-fields-out-of-output', judge: keepsUnknownFields },
  { id: 'security.hides-secrets-in-errors', judge: hidesInErrors },
  { id: 'security.hides-stack-traces', judge: hidesStackTraces },
];
