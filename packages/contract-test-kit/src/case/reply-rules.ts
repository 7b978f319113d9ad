import { ExecutionEvent } from '@controlplane/contracts';
import type { Exchange, ReplyLine } from '../harness/exchange.js';
import { CREDENTIAL_CANARY, ENVIRONMENT_CANARY, SECRET_CANARY, TOKEN_CANARY } from '../harness/canaries.js';
import { parseJson } from '../harness/recorded-message.js';
import type { ExecutionExchange } from '../harness/runner-client.js';
import type { Finding } from './verdict.js';

const pathOf = ({ request }: Exchange): string => `${request.method} ${new URL(request.url).pathname}`;

/** Whether a reply says one of these values, in its body or in a header. */
function says({ text, headers }: Exchange, values: readonly string[]): boolean {
  return values.some(
    (value) => text.includes(value) || Object.values(headers).some((header) => header.includes(value)),
  );
}

/** Finds planted values in replies; the finding does not repeat them. */
const hides =
  (values: readonly string[], expected: string, what: string) =>
  (exchange: Exchange): Finding | undefined =>
    says(exchange, values)
      ? {
          expected,
          actual: `${what} in the reply to ${pathOf(exchange)}`,
          exchange: { ...exchange, text: '' },
        }
      : undefined;

/** Stack traces as Node.js, Python, Go, Java and Rust write them, plain, in JSON or in HTML. */
const STACK_TRACE =
  /(?:\n|\\n|<br>)(?:\s|&nbsp;)+at [^\n]{0,200}:\d+|Traceback \(most recent call last\)|goroutine \d+ \[|stack backtrace:/;

/** Where an error stands in a reply: what an execution returns or logs is its own affair. */
function errorText(exchange: Exchange | ExecutionExchange): string {
  if (!('form' in exchange)) return exchange.text;
  if (exchange.form === 'json') return exchange.reply?.success === true ? '' : exchange.text;
  const isData = ({ text }: ReplyLine): boolean => {
    const event = ExecutionEvent.safeParse(parseJson(text)).data;
    return event !== undefined && event.type !== 'failed';
  };
  return exchange.lines
    .filter((line) => !isData(line))
    .map(({ text }) => text)
    .join('\n');
}

function checkStack(exchange: Exchange | ExecutionExchange): Finding | undefined {
  return !STACK_TRACE.test(errorText(exchange))
    ? undefined
    : {
        expected: 'an error without a stack trace',
        actual: `a stack trace in the reply to ${pathOf(exchange)}`,
        exchange,
      };
}

function checkJsonType(exchange: Exchange | ExecutionExchange): Finding | undefined {
  if (!('form' in exchange) || exchange.form !== 'json') return undefined;
  const type = exchange.headers['content-type'] ?? '(none)';
  return /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)
    ? undefined
    : { expected: 'content-type application/json', actual: `content-type ${type}`, exchange };
}

/** The rules of every reply, whatever it answers, by the id of their requirement. */
export const REPLY_RULES = {
  'errors.keeps-secrets': {
    id: 'errors.keeps-secrets',
    check: hides(
      [ENVIRONMENT_CANARY],
      "no secret of the runner's environment",
      'the value of CONFORMANCE_CANARY_SECRET',
    ),
  },
  'security.keeps-credentials-out-of-replies': {
    id: 'security.keeps-credentials-out-of-replies',
    check: hides(
      [CREDENTIAL_CANARY, TOKEN_CANARY],
      'no credential of the runner',
      'a credential that the runner was given',
    ),
  },
  'security.hides-secrets-in-errors': {
    id: 'security.hides-secrets-in-errors',
    check: hides(
      [SECRET_CANARY],
      'no secret that came with an execution',
      'the value of a secret that came with an execution',
    ),
  },
  'security.hides-stack-traces': { id: 'security.hides-stack-traces', check: checkStack },
  'http.says-json': { id: 'http.says-json', check: checkJsonType },
} as const;
