import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../util/clock.js';
import type { RequestHeaders } from '../host.js';

/** How far the time of a message may be from now. */
const TOLERANCE_MS = 5 * 60_000;

/** How long a key is taken after another has come in its place: what is under way was signed with it. */
const OVERLAP_MS = 60_000;

/** Ids that are remembered in one half of the window; there are two halves. */
const MAX_SEEN = 50_000;

const PREFIX = 'whsec_';

/** Looks whether what is pushed to the runner was signed by its control plane, by the Standard Webhooks scheme. */
export interface DispatchCheck {
  /** Takes the key of a registration; undefined where the control plane does not sign. */
  setKey(key: string | undefined): void;
  /** @returns undefined when all is well, or nothing is signed; else what is wrong, in words */
  verify(headers: RequestHeaders, body: string): string | undefined;
}

interface Key {
  readonly bytes: Buffer;
  /** By the clock's `now`; undefined for the current one. */
  until: number | undefined;
}

const textOf = (value: string | string[] | undefined): string => (typeof value === 'string' ? value : '');

interface Signed {
  /** Id and time, as they stand before the body. */
  readonly stamp: string;
  readonly body: string;
  readonly signatures: readonly Buffer[];
}

function isSignedWith(key: Buffer, { stamp, body, signatures }: Signed): boolean {
  const expected = createHmac('sha256', key).update(stamp).update(body).digest();
  return signatures.some((given) => given.length === expected.length && timingSafeEqual(given, expected));
}

/** Ids of the messages of the last while, in two generations, so that neither time nor number grows without end. */
function createSeen(clock: Clock): { add(id: string): boolean } {
  let young = new Set<string>();
  let old = new Set<string>();
  let startedMs = clock.elapsed();
  return {
    add(id) {
      if (young.has(id) || old.has(id)) return false;
      const nowMs = clock.elapsed();
      // Twice the tolerance: a message may be from as far ahead as from behind.
      if (nowMs - startedMs > 2 * TOLERANCE_MS || young.size >= MAX_SEEN) {
        old = nowMs - startedMs > 4 * TOLERANCE_MS ? new Set() : young;
        young = new Set();
        startedMs = nowMs;
      }
      young.add(id);
      return true;
    },
  };
}

/** Makes a check that has no key yet: everything passes until a registration brings one. */
export function createDispatchCheck(clock: Clock): DispatchCheck {
  const seen = createSeen(clock);
  let keys: Key[] = [];

  return {
    setKey(key) {
      if (key === undefined) {
        keys = [];
        return;
      }
      const bytes = Buffer.from(key.slice(PREFIX.length), 'base64');
      const now = clock.now();
      const former = keys.filter(
        (one) => !one.bytes.equals(bytes) && (one.until === undefined || one.until > now),
      );
      for (const one of former) one.until ??= now + OVERLAP_MS;
      keys = [{ bytes, until: undefined }, ...former];
    },
    verify(headers, body) {
      if (keys.length === 0) return undefined;
      const id = textOf(headers['webhook-id']);
      const timestamp = textOf(headers['webhook-timestamp']);
      const given = textOf(headers['webhook-signature']);
      if (!id || !timestamp || !given) return 'the request is not signed';
      const now = clock.now();
      const sentMs = Number(timestamp) * 1000;
      if (!(Math.abs(now - sentMs) <= TOLERANCE_MS)) {
        return `the signature is of ${timestamp}, which is more than ${TOLERANCE_MS / 60_000} minutes from the time here`;
      }
      const signatures = given
        .split(' ')
        .slice(0, 10)
        .flatMap((one) => (one.startsWith('v1,') ? [Buffer.from(one.slice(3), 'base64')] : []));
      const signed = { stamp: `${id}.${timestamp}.`, body, signatures };
      const valid = keys.filter(({ until }) => until === undefined || until > now);
      if (!valid.some(({ bytes }) => isSignedWith(bytes, signed))) {
        return 'the signature is not one of a key that is valid here';
      }
      return seen.add(id) ? undefined : `the message "${id}" was received before`;
    },
  };
}
