import { createHash, randomUUID } from 'node:crypto';
import { CONTRACT_VERSION_CURRENT, type ErrorEnvelope } from '@controlplane/contracts';
import type { SwampEnroll } from '@controlplane/contracts/swamp';
import { asIdentifier } from '../as-identifier.js';
import type { Announcement } from '../foreign-side.js';
import { shellCapability, type ShellDialect } from '../shell-capability.js';

/** Why an enrollment is not taken. */
export interface Refused {
  readonly code: string;
  readonly message: string;
}

/** What stands before the dot of a token. */
export const tokenName = (token: string): string => token.slice(0, Math.max(0, token.lastIndexOf('.')));

/** In swamp's words, which its runners look for. */
export function refusedBy({ code, message }: ErrorEnvelope, token: string): Refused {
  const failed = (why: string): Refused => ({
    code: 'handler_failed',
    message: `Enrollment token '${tokenName(token)}' ${why}`,
  });
  switch (code) {
    case 'ALREADY_CONNECTED':
      return { code: 'already_connected', message };
    case 'TOKEN_REVOKED':
      return failed('has been revoked');
    case 'TOKEN_EXPIRED':
      return failed('has expired');
    case 'MACHINE_MISMATCH':
      return failed(': enrollment allowance exhausted');
    case 'CREDENTIAL_INVALID':
    case 'CREDENTIAL_MISSING':
    case 'ROLE_REQUIRED':
      return failed('does not match');
    default:
      return { code: 'handler_failed', message };
  }
}

export const dialectOf = ({ platform }: Pick<SwampEnroll, 'platform'>): ShellDialect =>
  platform === 'windows' ? 'line' : 'posix';

function slotsOf({ resourceLimits }: SwampEnroll): number {
  const capacity = resourceLimits?.['capacity'];
  return typeof capacity === 'number' && Number.isSafeInteger(capacity) && capacity > 0
    ? Math.min(capacity, 10_000)
    : 1;
}

/** A member of a fleet is named after the token that it came with, and its machine. */
function memberName(token: string, machineId: string): string {
  const hash = createHash('sha256').update(machineId).digest('hex');
  return `${tokenName(token) || 'swamp'}-${hash.slice(0, 8)}`.slice(0, 128);
}

/**
 * A runner that enrolls.
 * @param name - as it is known, where it came with a runner secret
 */
export function announcementOf(enroll: SwampEnroll, name: string | undefined): Announcement {
  const { token, machineId, labels, platform, arch, swampVersion } = enroll;
  const slots = slotsOf(enroll);
  const fleet = tokenName(token);
  return {
    name: name ?? memberName(token, machineId),
    version: swampVersion,
    contractVersion: CONTRACT_VERSION_CURRENT,
    capabilities: [shellCapability(dialectOf(enroll), slots)],
    tags: ['swamp'],
    labels: name === undefined && fleet !== '' ? { ...labels, fleet } : { ...labels },
    machineId: asIdentifier(machineId),
    platform: { os: platform, arch },
    maxConcurrency: slots,
    delivery: { kind: 'websocket' },
  };
}

/**
 * The process that a connection is of. What runs over a connection of swamp's is lost with it, so that the next one of
 * the same process holds nothing of the last.
 */
export const instanceOf = ({ instanceUuid }: SwampEnroll): string =>
  asIdentifier(`${instanceUuid.slice(0, 64)}.${randomUUID()}`);
