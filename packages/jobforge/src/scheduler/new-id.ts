import { randomFillSync } from 'node:crypto';
import { monotonicFactory } from 'ulid';

const pool = Buffer.alloc(4096);
let used = pool.length;

/** A share of one random byte: asking the system once for many bytes costs a hundredth of asking for each. */
function randomShare(): number {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const byte = pool[used] ?? 0;
  used += 1;
  return byte / 256;
}

const nextUlid = monotonicFactory(randomShare);

/** A new id. Ids sort by the time they were made; within one process no two are the same. */
export function newId(): string {
  return nextUlid();
}
