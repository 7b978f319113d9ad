import { CLOSE_CODES, type ErrorEnvelope } from '@controlplane/contracts';
import { SWARMLET_CLOSE } from '@controlplane/contracts/swarmlet';
import type { Farewell } from '../foreign-side.js';

/** How a connection is closed, in their words. */
export interface Close {
  readonly code: number;
  readonly reason: string;
}

/** Codes of refusals that another try mends, and what is said of them. */
const LATER: ReadonlySet<string> = new Set(['AUTH_RATE_LIMITED', 'SHUTTING_DOWN', 'RUNNER_UNREACHABLE']);
const TRY_AGAIN_LATER = 1013;

/** Why a runner is not let in. */
export function closeOfError({ code, message }: ErrorEnvelope): Close {
  if (LATER.has(code)) return { code: TRY_AGAIN_LATER, reason: message };
  switch (code) {
    case 'STORE_UNAVAILABLE':
    case 'INTERNAL_ERROR':
      return { code: SWARMLET_CLOSE.internal, reason: 'Server DB error' };
    case 'TOKEN_REVOKED':
      return { code: SWARMLET_CLOSE.policy, reason: 'Runner has been revoked' };
    case 'RUNNER_NOT_FOUND':
    case 'RUNNER_MISMATCH':
      return { code: SWARMLET_CLOSE.policy, reason: 'Runner not found' };
    case 'VALIDATION_ERROR':
      return { code: SWARMLET_CLOSE.policy, reason: `Invalid hello message: ${message}` };
    case 'CREDENTIAL_INVALID':
    case 'CREDENTIAL_MISSING':
    case 'ROLE_REQUIRED':
      return { code: SWARMLET_CLOSE.policy, reason: 'Invalid runner secret' };
    default:
      return { code: SWARMLET_CLOSE.policy, reason: message };
  }
}

/** Why JobForge lets go of a runner that it had let in. */
export function closeOf({ code, reason, error }: Farewell): Close {
  if (error !== undefined) return closeOfError(error);
  if (code === CLOSE_CODES.replaced) return { code: SWARMLET_CLOSE.policy, reason };
  // Codes of ours mean nothing to it: whatever is none of its own, it tries again.
  return code >= 4000 ? { code: SWARMLET_CLOSE.internal, reason } : { code, reason };
}

/** Whether what is said of a command is that nobody knows how it ended: so a runner of ours puts it that was killed. */
export const isLost = (error: string): boolean => error.startsWith('RUNNER_LOST: ');
