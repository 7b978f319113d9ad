import type { Clock } from '../util/clock.js';
import { channelBytes, type EventChannel } from './event-channel.js';

/** Bounds of what is remembered of ended executions. */
export interface ReplayLimits {
  readonly maxCount: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/** The executions that ended a while ago: a repeated delivery is answered from here, not run again. */
export interface ReplayCache {
  get(executionId: string): EventChannel | undefined;
  put(channel: EventChannel): void;
  readonly size: number;
}

interface Entry {
  readonly channel: EventChannel;
  readonly bytes: number;
  readonly endedMs: number;
}

/**
 * Makes a cache that forgets the oldest first.
 * @param limits - how many, how much and how long
 * @param clock - where the age comes from
 */
export function createReplayCache(limits: ReplayLimits, clock: Clock): ReplayCache {
  // A Map keeps the order of insertion, which is the order of age.
  const entries = new Map<string, Entry>();
  let totalBytes = 0;

  const remove = (executionId: string, entry: Entry): void => {
    entries.delete(executionId);
    totalBytes -= entry.bytes;
  };
  const trim = (nowMs: number): void => {
    for (const [executionId, entry] of entries) {
      const isOld = nowMs - entry.endedMs > limits.maxAgeMs;
      if (!isOld && entries.size <= limits.maxCount && totalBytes <= limits.maxBytes) return;
      remove(executionId, entry);
    }
  };

  return {
    get size() {
      return entries.size;
    },
    get(executionId) {
      const entry = entries.get(executionId);
      if (!entry) return undefined;
      if (clock.elapsed() - entry.endedMs <= limits.maxAgeMs) return entry.channel;
      remove(executionId, entry);
      return undefined;
    },
    put(channel) {
      const entry = { channel, bytes: channelBytes(channel), endedMs: clock.elapsed() };
      entries.set(channel.executionId, entry);
      totalBytes += entry.bytes;
      trim(entry.endedMs);
    },
  };
}
