import {
  CONTRACT_VERSION_CURRENT,
  DEFAULTS,
  envelopeOf,
  httpStatusOf,
  type ErrorCode,
  type ErrorEnvelope,
} from '@controlplane/contracts';
import { CREDENTIAL_CANARY } from './canaries.js';
import type { OfferPolicy } from './dial-in/offer-book.js';
import type { FaultRates } from './dial-in/link-faults.js';
import type { MessageKind, RecordedMessage } from './recorded-message.js';

/**
 * What is answered instead of the usual: an error of the catalogue, members in the reply, a broken connection, or
 * nothing at all. Only a registration over a socket has an error as its answer; another frame stays unanswered.
 */
export type Answer =
  | { readonly error: ErrorCode; readonly retryAfterSeconds?: number | undefined }
  | { readonly members: Readonly<Record<string, unknown>> }
  /** What something else than a control plane would answer to a request, such as a proxy. */
  | { readonly status: number; readonly html: string }
  /** The usual, so much later; to a request. */
  | { readonly afterMs: number }
  | 'drop'
  | 'silence';

/** How the control plane of one run differs from a friendly one. */
export interface ControlPlaneScript extends OfferPolicy {
  readonly heartbeatIntervalMs?: number;
  /** Decides the answer to a message; undefined is the usual one. */
  readonly answer?: (message: RecordedMessage) => Answer | undefined;
  /** What befalls the frames that are sent over a socket. */
  readonly faults?: FaultRates | undefined;
  /** How long a poll is held while there is nothing to say. Default: 25 s. */
  readonly holdMs?: number | undefined;
}

/** Beats in a run come often, so that judging them takes seconds. */
const BEAT_MS = 400;

/** A usual, friendly reply; undefined where nothing is served. */
export function friendlyReply(
  kind: MessageKind,
  runnerId: string,
  script: ControlPlaneScript,
): Record<string, unknown> | undefined {
  if (kind === 'register') {
    return {
      runnerId,
      registeredAt: new Date().toISOString(),
      heartbeatIntervalMs: script.heartbeatIntervalMs ?? BEAT_MS,
      leaseMs: DEFAULTS.leaseMs,
      limits: { maxBodyBytes: DEFAULTS.maxBodyBytes, maxLogBytes: DEFAULTS.maxLogBytes },
      contractVersion: CONTRACT_VERSION_CURRENT,
      sessionCredential: {
        token: CREDENTIAL_CANARY,
        expiresAt: new Date(Date.now() + DEFAULTS.sessionMs).toISOString(),
      },
    };
  }
  if (kind === 'heartbeat') return { known: true, receiving: true, directives: [] };
  return kind === 'deregister' ? { runnerId, deregistered: true } : undefined;
}

/** The members that an answer adds to a usual reply. */
export function membersOf(answer: Answer | undefined): Readonly<Record<string, unknown>> {
  return typeof answer === 'object' && 'members' in answer ? answer.members : {};
}

/** The error that an answer is, as the contract words it. */
export function errorOf(answer: Answer | undefined): ErrorEnvelope | undefined {
  if (typeof answer !== 'object' || !('error' in answer)) return undefined;
  const { error, retryAfterSeconds } = answer;
  return envelopeOf(error, { service: 'contract-test-kit', retryAfter: retryAfterSeconds });
}

/** An error as a whole reply over HTTP. */
export function errorReply(error: ErrorEnvelope): {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
} {
  const text = JSON.stringify({ success: false, error });
  return {
    status: httpStatusOf(error.code),
    headers: {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(text)),
      ...(error.retryAfter === undefined ? {} : { 'retry-after': String(error.retryAfter) }),
    },
    text,
  };
}
