import { randomFillSync } from 'node:crypto';
import { monotonicFactory } from 'ulid';

const pool = Buffer.alloc(4096);
let used = pool.length;

/** Where so many unused random bytes begin: asking the system once for many costs a hundredth of asking for each. */
function takeBytes(count: number): number {
  if (used + count > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += count;
  return used - count;
}

const randomShare = (): number => (pool[takeBytes(1)] ?? 0) / 256;

const nextUlid = monotonicFactory(randomShare);

/** A new id. Ids sort by the time they were made; within one process no two are the same. */
export function newId(): string {
  return nextUlid();
}

const TOKEN_BYTES = 16;

/** A lease token: 128 random bits that nobody has had before. */
export function newLeaseToken(): string {
  const start = takeBytes(TOKEN_BYTES);
  return pool.toString('base64url', start, start + TOKEN_BYTES);
}
