import { ErrorEnvelope, type ErrorCode } from '@controlplane/contracts';

/** Why a control plane did not do what was asked. */
export interface Refusal {
  readonly ok: false;
  /** Of the catalogue, or `UNREACHABLE` or `UNREADABLE` where there was no readable answer. */
  readonly code: string;
  readonly message: string;
  /** What can be done about it, as the control plane says. */
  readonly remedy?: string | undefined;
  readonly retryAfterMs: number | undefined;
}

/** What the other side answered. */
export type Answer<Value> = { readonly ok: true; readonly value: Value } | Refusal;

/**
 * Answers after which asking again cannot help, and what a process that is its runner's own exits with. The rest is
 * tried again for ever: also what has no readable answer, and what was refused for no fault of the runner's.
 */
export const PERMANENT_REFUSALS: Readonly<Partial<Record<ErrorCode, number>>> = {
  VALIDATION_ERROR: 64,
  CONTRACT_MISMATCH: 65,
  CREDENTIAL_MISSING: 66,
  CREDENTIAL_INVALID: 67,
  TOKEN_EXPIRED: 68,
  TOKEN_REVOKED: 69,
  MACHINE_MISMATCH: 70,
  ALREADY_CONNECTED: 71,
  ROLE_REQUIRED: 72,
  RUNNER_MISMATCH: 73,
};

/** Whether a refusal is for good. */
export function isPermanent({ code }: Pick<Refusal, 'code'>): boolean {
  return Object.hasOwn(PERMANENT_REFUSALS, code);
}

/**
 * What only a registration can mend, or show to be for good: the control plane has forgotten the runner, its process
 * or its session, or does not take what the session rests on any more.
 */
const NOT_KNOWN: ReadonlySet<string> = new Set<ErrorCode>([
  'RUNNER_NOT_FOUND',
  'INSTANCE_MISMATCH',
  'SESSION_EXPIRED',
  'CREDENTIAL_MISSING',
  'CREDENTIAL_INVALID',
  'TOKEN_EXPIRED',
  'TOKEN_REVOKED',
  'MACHINE_MISMATCH',
  'ROLE_REQUIRED',
  'RUNNER_MISMATCH',
]);

/** Whether a request that was refused so leads to a registration: its answer says whether the runner may stay. */
export function needsRegistration({ code }: Pick<Refusal, 'code'>): boolean {
  return NOT_KNOWN.has(code);
}

/** An envelope as a refusal. */
export function refusalOf(envelope: ErrorEnvelope): Refusal {
  const { code, message, remedy, retryAfter } = envelope;
  return {
    ok: false,
    code,
    message,
    remedy,
    retryAfterMs: retryAfter === undefined ? undefined : retryAfter * 1000,
  };
}

/** The envelope in the body of an error reply, when there is one. */
function envelopeIn(body: unknown): ErrorEnvelope | undefined {
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined;
  return ErrorEnvelope.safeParse(error).data;
}

/** The `retry-after` header in milliseconds, where it is a number of seconds. */
export function headerRetryAfterMs(header: string | null | undefined): number | undefined {
  const seconds = header === null || header === undefined ? Number.NaN : Number(header);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

/** What an error reply is made of. */
interface ErrorReply {
  /** Parsed; undefined where it is no JSON. */
  readonly body: unknown;
  /** The `retry-after` header: it counts where the envelope does not say when. */
  readonly retryAfter: string | null | undefined;
}

/**
 * An error reply as a refusal.
 * @param unreadable - what is said of a reply without an envelope
 */
export function refusalOfReply({ body, retryAfter }: ErrorReply, unreadable: string): Refusal {
  const envelope = envelopeIn(body);
  const refusal = envelope ? refusalOf(envelope) : notReached('UNREADABLE', unreadable);
  return { ...refusal, retryAfterMs: refusal.retryAfterMs ?? headerRetryAfterMs(retryAfter) };
}

/** What is answered by nobody who speaks the contract. */
export function notReached(code: 'UNREACHABLE' | 'UNREADABLE', message: string): Refusal {
  return { ok: false, code, message, retryAfterMs: undefined };
}

/** What came of a request that got no answer. */
export function unreachable(error: unknown): Refusal {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  const why =
    cause instanceof Error ? `${message}: ${cause.message || String(Reflect.get(cause, 'code'))}` : message;
  return notReached('UNREACHABLE', why);
}

/** A refusal in the words of a host whose protocol has no envelope. */
export function refused(code: ErrorCode, message: string, remedy: string): Refusal {
  return { ok: false, code, message, remedy, retryAfterMs: undefined };
}
