import type { SocketEnd } from '../../transport/reconnecting-socket.js';
import { onRefused } from '../session-state.js';
import type { DialInOptions } from './dial-in.js';
import { isPermanent, notReached, refusalOfReply, type Refusal } from '../refusals.js';

/** A line whose connection has ended. */
interface EndedLine extends Pick<DialInOptions, 'core' | 'credentials' | 'offers'> {
  readonly isLeaving: boolean;
  /** What the control plane said before it hung up. */
  readonly refusal: Refusal | undefined;
}

/** Why a connection ended, in the words of the contract where the control plane said so. */
export function refusalOfEnd({ refusal: said, core }: EndedLine, end: SocketEnd): Refusal {
  if (said) return said;
  const { refusal } = end;
  if (!refusal)
    return notReached('UNREACHABLE', `${end.reason || 'the connection was closed'} (${end.code})`);
  let body: unknown;
  try {
    body = JSON.parse(refusal.body);
  } catch {
    body = undefined;
  }
  const unreadable = `${core.controlPlaneUrl} answered the upgrade with ${refusal.status} and no error envelope; is there a proxy between?`;
  return refusalOfReply({ body, retryAfter: refusal.retryAfter }, unreadable);
}

/** @returns whether to try again */
export function mayRetry(state: EndedLine, refusal: Refusal, wasReady: boolean): boolean {
  const { core, credentials, offers, isLeaving } = state;
  const hasAnother = credentials.refused(refusal.code);
  if (isLeaving || (core.runner.isDraining() && offers.held().length === 0)) return false;
  // A frame that was not understood is no reason to be gone for good: the registration was.
  const isAboutFrame = wasReady && refusal.code === 'VALIDATION_ERROR';
  if (!isPermanent(refusal) || hasAnother || isAboutFrame) return true;
  onRefused(core, refusal);
  return false;
}
