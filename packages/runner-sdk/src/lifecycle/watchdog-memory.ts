/** Sessions that one watchdog stands in for: a runner has one for each of its control planes. */
export const MAX_WATCHED_SESSIONS = 16;

/** Bytes before the first slot: a sign of life, how many slots were ever in use, the last beat of each session. */
const HEADER_BYTES = 16 + MAX_WATCHED_SESSIONS * 8;

/** An id is 1–128 characters of ASCII; one byte before it says how many. */
const SLOT_BYTES = 132;
const MAX_ID_LENGTH = 128;

/** Where what is, for the thread that reads. */
export const WATCHDOG_LAYOUT = {
  headerBytes: HEADER_BYTES,
  slotBytes: SLOT_BYTES,
  /** Index into the header as 64-bit integers: nanoseconds of `process.hrtime`, which all threads share. */
  pulse: 0,
  /** Index into the header as 32-bit integers: slots that were ever in use. */
  used: 2,
  /** Index, as for `pulse`, of the first session's last beat; those of the others follow. */
  beats: 2,
} as const;

/**
 * What the main thread tells its watchdog by memory alone: that it lives, that it has beaten, what runs. A message for
 * each execution would cost as much as the execution.
 */
export interface WatchdogMemory {
  readonly shared: SharedArrayBuffer;
  /** The main thread answers. */
  pulse(): void;
  /** A heartbeat that a session sent by itself was answered. */
  beaten(session: number): void;
  /** @returns the slot it is kept in; -1 where it is not watched */
  add(executionId: string): number;
  remove(slot: number): void;
}

/**
 * Makes the memory.
 * @param capacity - executions that may run at once; more are not watched
 */
export function createWatchdogMemory(capacity: number): WatchdogMemory {
  const shared = new SharedArrayBuffer(HEADER_BYTES + capacity * SLOT_BYTES);
  const times = new BigInt64Array(shared, 0, HEADER_BYTES / 8);
  const counts = new Int32Array(shared, 0, HEADER_BYTES / 4);
  const bytes = new Uint8Array(shared);
  const free: number[] = [];
  let used = 0;

  function takeSlot(): number | undefined {
    const slot = free.pop();
    if (slot !== undefined) return slot;
    if (used >= capacity) return undefined;
    used++;
    Atomics.store(counts, WATCHDOG_LAYOUT.used, used);
    return used - 1;
  }

  return {
    shared,
    pulse: () => void Atomics.store(times, WATCHDOG_LAYOUT.pulse, process.hrtime.bigint()),
    beaten: (session) => void Atomics.store(times, WATCHDOG_LAYOUT.beats + session, process.hrtime.bigint()),
    add(executionId) {
      const slot = executionId.length > MAX_ID_LENGTH ? undefined : takeSlot();
      if (slot === undefined) return -1;
      const start = HEADER_BYTES + slot * SLOT_BYTES;
      // A call into the buffer's own code would cost more than the few bytes of an id.
      for (let index = 0; index < executionId.length; index++)
        bytes[start + 1 + index] = executionId.charCodeAt(index);
      bytes[start] = executionId.length;
      return slot;
    },
    remove(slot) {
      if (slot < 0) return;
      bytes[HEADER_BYTES + slot * SLOT_BYTES] = 0;
      free.push(slot);
    },
  };
}
