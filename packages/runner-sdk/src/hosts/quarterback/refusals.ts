import { headerRetryAfterMs, notReached, refused, type Refusal } from '../refusals.js';

/** An answer that was no success. */
export interface Refused {
  readonly status: number;
  /** What it says. */
  readonly detail: string;
  /** What was asked, for the message. */
  readonly what: string;
  /** The `retry-after` header. */
  readonly retryAfter: string | null;
}

/** Request timeout, too early, too many requests. */
const COME_AGAIN: ReadonlySet<number> = new Set([408, 425, 429]);

const isForNow = (status: number): boolean => status >= 500 || status < 400 || COME_AGAIN.has(status);

const forNow = ({ retryAfter }: Refused, message: string): Refusal => ({
  ...notReached('UNREADABLE', message),
  retryAfterMs: headerRetryAfterMs(retryAfter),
});

/** Why a registration was not taken: what a wrong token meets is for good, a registration that is switched off is not. */
export function refusalOfRegistration(answer: Refused): Refusal {
  const { status, detail } = answer;
  const message = `the registration was answered ${status}: ${detail}`;
  if (status === 401 || status === 403)
    return refused(
      'CREDENTIAL_INVALID',
      message,
      'Give the runner the REGISTRATION_TOKEN that the control plane was started with.',
    );
  if (status === 503)
    return forNow(answer, `${message}; registration may be switched off at the control plane`);
  if (isForNow(status)) return forNow(answer, message);
  return refused(
    'CONTRACT_MISMATCH',
    message,
    'Check the URL; else the control plane speaks another version of this protocol: update one of the two.',
  );
}

/** Why any other call was not taken; `CREDENTIAL_INVALID` and `RUNNER_NOT_FOUND` lead to another registration. */
export function refusalOfCall(answer: Refused): Refusal {
  const { status, detail, what } = answer;
  const message = `${what} was answered ${status}: ${detail}`;
  if (status === 401)
    return refused('CREDENTIAL_INVALID', message, 'The API key is not taken any more: register again.');
  if (isForNow(status)) return forNow(answer, message);
  return refused('VALIDATION_ERROR', message, 'Update the runner or the control plane.');
}
