import type { Lane } from './ready-lane.js';

/** Lanes that wait for their concurrency key. */
export interface HeldLanes {
  add(lane: Lane): void;
  /** What is not there is no error. */
  remove(lane: Lane): void;
  /** Lets all of a key go. */
  release(key: string): readonly Lane[];
}

export function createHeldLanes(): HeldLanes {
  const byKey = new Map<string, Set<Lane>>();
  return {
    add(lane) {
      const { concurrency } = lane.terms;
      if (concurrency === undefined) return;
      lane.held = true;
      const lanes = byKey.get(concurrency.key);
      if (lanes === undefined) byKey.set(concurrency.key, new Set([lane]));
      else lanes.add(lane);
    },
    remove(lane) {
      const { key } = lane.terms.concurrency ?? {};
      const lanes = key === undefined ? undefined : byKey.get(key);
      lane.held = false;
      if (key !== undefined && lanes?.delete(lane) && lanes.size === 0) byKey.delete(key);
    },
    release(key) {
      const lanes = [...(byKey.get(key) ?? [])];
      byKey.delete(key);
      for (const lane of lanes) lane.held = false;
      return lanes;
    },
  };
}
