import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '../model/clock.js';

/** How long a key signs on beside the one that replaced it: its runner may not have read of the new one yet. */
const OVERLAP_MS = 60_000;
const PREFIX = 'whsec_';

/** Signs what is pushed to one runner, by the Standard Webhooks scheme. */
export interface DispatchSigner {
  /** The headers that sign a body. Each call is a message of its own. */
  headers(body: string | Uint8Array): Record<string, string>;
  /** Signs with another key from now on. */
  rotate(key: string): void;
}

/** A key that nobody has had before: `whsec_` and base64 of 32 random bytes. */
export function newSigningKey(): string {
  return PREFIX + randomBytes(32).toString('base64');
}

function signatureOf(key: Buffer, { id, timestamp, body }: Signed): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`;
}

interface Signed {
  readonly id: string;
  readonly timestamp: string;
  readonly body: string | Uint8Array;
}

/** What is signed: the message, and which one it is and when it was made. */
export interface SignedMessage {
  readonly id: string;
  readonly now: number;
  readonly body: string | Uint8Array;
}

/** The headers that sign a message, with one signature a key. */
export function signedHeaders(
  keys: readonly string[],
  { id, now, body }: SignedMessage,
): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000));
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': keys.map((key) => signatureOf(bytesOf(key), { id, timestamp, body })).join(' '),
  };
}

const bytesOf = (key: string): Buffer => Buffer.from(key.slice(PREFIX.length), 'base64');

export function createDispatchSigner(key: string, clock: Clock): DispatchSigner {
  let current = key;
  let former: { readonly key: string; readonly until: number } | undefined;
  return {
    headers(body) {
      const now = clock.now();
      const keys = former !== undefined && now < former.until ? [current, former.key] : [current];
      return signedHeaders(keys, { id: `msg_${randomUUID()}`, now, body });
    },
    rotate(next) {
      former = { key: current, until: clock.now() + OVERLAP_MS };
      current = next;
    },
  };
}
