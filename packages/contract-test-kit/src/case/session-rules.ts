import {
  CANARIES,
  CREDENTIAL_CANARY,
  ENVIRONMENT_CANARY,
  SECRET_CANARY,
  TOKEN_CANARY,
} from '../harness/canaries.js';
import type { MessageKind, RecordedMessage } from '../harness/recorded-message.js';
import type { RunnerSession } from '../harness/runner-session.js';
import type { Finding } from './verdict.js';
import { shorten } from './wire-rules.js';

/** A rule that was broken by what a runner sent or wrote, whichever case ran it. */
export interface Violation {
  readonly id: string;
  readonly finding: Finding;
}

const VALID: Readonly<Partial<Record<MessageKind, { readonly id: string; readonly expected: string }>>> = {
  register: { id: 'registration.valid-message', expected: 'a RunnerRegistrationRequest' },
  heartbeat: { id: 'heartbeat.valid-message', expected: 'a RunnerHeartbeat' },
};

/** What the body of no message holds; a credential stands in a header of its own. */
const KEPT_OUT_OF_BODIES = [
  ['errors.keeps-secrets', 'CONFORMANCE_CANARY_SECRET in the environment', [ENVIRONMENT_CANARY]],
  ['security.keeps-credentials-out-of-replies', 'a credential', [CREDENTIAL_CANARY, TOKEN_CANARY]],
  ['security.hides-secrets-in-errors', 'a secret with an execution', [SECRET_CANARY]],
] as const;

function* ofMessage(message: RecordedMessage): Generator<Violation> {
  const { kind, method, path, query, text, issues } = message;
  const target = `${path}?${query}`;
  const valid = VALID[kind];
  if (valid && issues.length > 0) {
    const actual = issues.slice(0, 5).join('; ');
    yield { id: valid.id, finding: { sent: shorten(text), expected: valid.expected, actual } };
  }
  for (const [id, sent, values] of KEPT_OUT_OF_BODIES)
    if (values.some((value) => text.includes(value)))
      yield {
        id,
        finding: {
          sent,
          expected: 'no trace of its value',
          actual: `it is in the body of ${method} ${path}`,
        },
      };
  if ([ENVIRONMENT_CANARY, CREDENTIAL_CANARY, TOKEN_CANARY].some((value) => target.includes(value))) {
    yield {
      id: 'security.keeps-credentials-out-of-urls',
      finding: {
        sent: 'credentials and secrets',
        expected: 'none of them in a URL, which proxies and logs write down',
        actual: `one is in the URL of ${method} ${path.split('/').slice(0, 3).join('/')}`,
      },
    };
  }
}

/** What the messages and the output of a runner's life break: looked at when it is over. */
export function* sessionViolations({ controlPlane, process }: RunnerSession): Generator<Violation> {
  for (const message of controlPlane?.messages ?? []) yield* ofMessage(message);
  if (CANARIES.some((value) => process?.output().includes(value))) {
    yield {
      id: 'security.keeps-secrets-out-of-output',
      finding: {
        sent: 'secrets in the environment, in replies and with executions',
        expected: 'none of them on stdout or stderr',
        actual: 'the runner wrote one of them',
      },
    };
  }
}
