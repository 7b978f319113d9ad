import { ErrorEnvelope, httpStatusOf, isErrorCode } from '@controlplane/contracts';
import type { Case, CaseContext } from '../case/case.js';
import { memberOf, must, mustReply, mustKeepRule, mustStillAnswer } from '../case/expect.js';
import { NotApplicable } from '../case/verdict.js';
import type { Exchange } from '../harness/exchange.js';
import { newExecution, type ExecutionExchange } from '../harness/runner-client.js';
import { ENVIRONMENT_CANARY } from '../harness/canaries.js';
import { spoilInput } from '../inputs/spoil-input.js';

async function failWith(
  context: CaseContext,
  input: Readonly<Record<string, unknown>>,
): Promise<ExecutionExchange> {
  const { id } = context.fixture('conformance.fail');
  return context.runner.client.execute(newExecution(id, input));
}

async function failureIsAnEnvelope(context: CaseContext): Promise<void> {
  const exchange = await failWith(context, {
    code: 'KIT_EXPECTED',
    message: 'as the kit asked',
    retryable: false,
  });
  mustKeepRule('execute.answers-valid-input', exchange);
  const { reply } = exchange;
  mustReply(
    exchange.status >= 400 && reply?.success === false && reply.error,
    'success=false with an error',
    exchange,
  );
  mustReply(
    reply.error.code === 'KIT_EXPECTED' && reply.error.message.includes('as the kit asked'),
    'code KIT_EXPECTED and the message "as the kit asked"',
    exchange,
  );
}

async function saysWhetherToRetry(context: CaseContext): Promise<void> {
  for (const retryable of [true, false]) {
    const exchange = await failWith(context, {
      code: 'KIT_EXPECTED',
      message: 'as the kit asked',
      retryable,
    });
    mustReply(exchange.reply?.error?.retryable === retryable, `error.retryable=${retryable}`, exchange);
  }
}

async function survivesACrash(context: CaseContext): Promise<void> {
  const { client } = context.runner;
  const exchange = await client.execute(newExecution(context.fixture('conformance.crash').id, {}));
  mustKeepRule('execute.answers-valid-input', exchange);
  const error = exchange.reply?.error;
  mustReply(
    error?.code === 'EXECUTION_FAILED' && error.retryable,
    'success=false, error.code=EXECUTION_FAILED, error.retryable=true',
    exchange,
  );
  await mustStillAnswer(client, 'a capability that broke off');
}

async function refusals(context: CaseContext): Promise<ExecutionExchange[]> {
  const { client } = context.runner;
  const unknown = await client.execute(newExecution('kit.no-such-capability', {}));
  const { capability, input } = context.subject();
  const spoiled = spoilInput(capability.inputSchema, input);
  return spoiled ? [unknown, await client.execute(newExecution(capability.id, spoiled.payload))] : [unknown];
}

async function statusFitsTheCode(context: CaseContext): Promise<void> {
  for (const exchange of await refusals(context)) {
    const code = exchange.reply?.error?.code;
    mustReply(code !== undefined && isErrorCode(code), 'an error with a code of the catalogue', exchange);
    mustReply(exchange.status === httpStatusOf(code), `status ${httpStatusOf(code)} for ${code}`, exchange);
  }
}

async function namesThePath(context: CaseContext): Promise<void> {
  const { capability, input } = context.subject();
  const spoiled = spoilInput(capability.inputSchema, input);
  if (!spoiled?.member) throw new NotApplicable('the input schema of the capability constrains no member');
  const exchange = await context.runner.client.execute(newExecution(capability.id, spoiled.payload));
  const details = exchange.reply?.error?.details ?? [];
  const { member } = spoiled;
  mustReply(
    details.some(({ path }) => path?.includes(member)),
    `a detail whose path contains "${member}"`,
    exchange,
  );
}

async function unknownCapability({ runner }: CaseContext): Promise<void> {
  const exchange = await runner.client.execute(newExecution('kit.no-such-capability', {}));
  const error = exchange.reply?.error;
  mustReply(
    error?.code === 'CAPABILITY_NOT_FOUND' && !error.retryable,
    'CAPABILITY_NOT_FOUND, retryable=false',
    exchange,
  );
}

function mustBeError(exchange: Exchange, status: number): void {
  const envelope = ErrorEnvelope.safeParse(memberOf(exchange.json, 'error'));
  mustReply(
    exchange.status === status && envelope.success,
    `${status} and {"success":false,"error":ErrorEnvelope}`,
    exchange,
  );
}

async function wrongMethod({ runner }: CaseContext): Promise<void> {
  const exchange = await runner.client.send({ method: 'GET', url: runner.urls.execute });
  mustBeError(exchange, 405);
  const allow = exchange.headers['allow'] ?? '';
  must(allow.includes('POST'), { expected: 'an allow header with POST', actual: allow || 'none', exchange });
}

async function keepsSecrets(context: CaseContext): Promise<void> {
  const runner = await context.startRunner();
  const { client } = runner;
  const paths = ['health', 'manifest', 'status', '', 'kit-no-such-path'];
  const exchanges: Exchange[] = [];
  for (const path of paths) exchanges.push(await client.get(path));
  exchanges.push(await client.execute(newExecution('kit.no-such-capability', {})));
  const failing = runner.description.capabilities.find(({ id }) => id === 'conformance.fail');
  if (failing)
    exchanges.push(
      await client.execute(
        newExecution(failing.id, { code: 'KIT_EXPECTED', message: 'as the kit asked', retryable: false }),
      ),
    );
  for (const exchange of exchanges) mustKeepRule('errors.keeps-secrets', exchange);
  const leak = runner.controlPlane?.messages.find(({ text }) => text.includes(ENVIRONMENT_CANARY));
  must(!leak, {
    sent: 'CONFORMANCE_CANARY_SECRET in the environment',
    expected: 'no trace of its value',
    actual: `it is in the body of ${leak?.method} ${leak?.path}`,
  });
}

export const errorCases: readonly Case[] = [
  { id: 'errors.failure-is-an-envelope', judge: failureIsAnEnvelope },
  { id: 'errors.says-whether-to-retry', judge: saysWhetherToRetry },
  // A runner that goes down with it takes no other case along.
  { id: 'errors.survives-a-crash', alone: true, judge: survivesACrash },
  { id: 'errors.status-fits-the-code', judge: statusFitsTheCode },
  { id: 'errors.names-the-path', judge: namesThePath },
  { id: 'errors.unknown-capability-has-its-code', judge: unknownCapability },
  {
    id: 'errors.unknown-route',
    judge: async ({ runner }) => mustBeError(await runner.client.get('kit-no-such-path'), 404),
  },
  { id: 'errors.wrong-method', judge: wrongMethod },
  { id: 'errors.keeps-secrets', judge: keepsSecrets },
];
