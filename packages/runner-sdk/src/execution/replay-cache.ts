import { createEndedExecutions, type EndedExecutions } from './ended-executions.js';
import type { EventChannel } from './event-channel.js';
import { hashOfId } from './id-index.js';

/** Bounds of what is remembered of ended executions. */
export interface ReplayLimits {
  /** At least the last half of this many are remembered, at most this many. */
  readonly maxCount: number;
  /** The same for their size; one that takes more than half of it is not remembered. */
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/** The executions that ended a while ago: a repeated delivery is answered from here, not run again. */
export interface ReplayCache {
  /** @param nowMs - by the clock's `elapsed`, as everywhere here */
  get(executionId: string, nowMs: number): EventChannel | undefined;
  put(channel: EventChannel, nowMs: number): void;
  readonly size: number;
}

interface Generation {
  readonly ended: EndedExecutions;
  startedMs: number;
}

/**
 * Makes a cache that forgets the older half when the younger half is full: nothing is looked for or moved to
 * forget one.
 * @param limits - how many, how much and how long
 */
export function createReplayCache(limits: ReplayLimits): ReplayCache {
  const halfCount = Math.max(1, Math.floor(limits.maxCount / 2));
  const halfBytes = limits.maxBytes / 2;
  const begin = (): Generation => ({
    ended: createEndedExecutions(halfCount, halfBytes),
    startedMs: 0,
  });
  let young = begin();
  let old = begin();

  return {
    get size() {
      return young.ended.count + old.ended.count;
    },
    get(executionId, nowMs) {
      const hash = hashOfId(executionId);
      const sinceMs = nowMs - limits.maxAgeMs;
      return young.ended.get(executionId, hash, sinceMs) ?? old.ended.get(executionId, hash, sinceMs);
    },
    put(channel, nowMs) {
      const hash = hashOfId(channel.executionId);
      if (nowMs - young.startedMs <= limits.maxAgeMs && young.ended.add(channel, hash, nowMs)) return;
      [young, old] = [old, young];
      young.ended.clear();
      young.startedMs = nowMs;
      young.ended.add(channel, hash, nowMs);
    },
  };
}
