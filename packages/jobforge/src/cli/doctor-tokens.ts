import type { AccessToken } from '@controlplane/contracts';
import { ok, warning, type DoctorCheck } from './doctor-check.js';
import { spoken } from './durations.js';

/** What is over sooner than this is worth a word. */
const SOON_MS = 3 * 24 * 60 * 60 * 1000;

/** Whether somebody is left without a credential when the token is over. */
const isLeanedOn = ({ kind, state, durable }: AccessToken): boolean =>
  kind === 'api' ? state === 'active' : state === 'enrolled' && durable === false;

/** Looks for tokens that will soon be over while programs or runners still need them. */
export function checkTokens(tokens: readonly AccessToken[], now: number): DoctorCheck {
  const leaving = tokens
    .filter(isLeanedOn)
    .map(({ name, expiresAt }) => ({
      name,
      leftMs: expiresAt === undefined ? Infinity : Date.parse(expiresAt) - now,
    }))
    .filter(({ leftMs }) => leftMs < SOON_MS)
    .toSorted((a, b) => a.leftMs - b.leftMs);
  if (leaving.length === 0) return ok('tokens', 'no token that is in use is about to expire');
  const words = leaving.map(({ name, leftMs }) => `${name} in ${spoken(Math.max(0, leftMs))}`);
  return warning(
    'tokens',
    `tokens that are in use expire: ${words.join(', ')}`,
    'Create new ones with `jobforge token create`, and give them to whoever uses these.',
  );
}
