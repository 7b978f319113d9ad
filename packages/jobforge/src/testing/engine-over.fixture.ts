import { onTestFinished } from 'vitest';
import { systemClock } from '../model/clock.js';
import { DEFAULT_LIMITS } from '../model/limits.js';
import { silentLog } from '../model/log.js';
import { createEngine, type Engine } from '../scheduler/engine.js';
import type { EngineOptions } from '../scheduler/engine-state.js';
import { openSqliteStore } from '../store/sqlite-store.js';
import type { Store } from '../store/store.js';

/** An engine over a store that the test has changed; stopped after the test. */
export async function engineOver(
  change: (store: Store) => Partial<Store>,
  options: Partial<EngineOptions> = {},
): Promise<Engine> {
  const sqlite = await openSqliteStore({ location: ':memory:' });
  const engine = createEngine({
    store: { ...sqlite, ...change(sqlite) },
    ...{ limits: DEFAULT_LIMITS, clock: systemClock, random: Math.random, log: silentLog },
    ...options,
  });
  await engine.start();
  onTestFinished(() => engine.stop());
  return engine;
}

/** An engine whose store refuses every batch with a word in it. */
export function engineRefusing(word: string): Promise<Engine> {
  return engineOver(({ commit }) => ({
    commit: async (batch) => {
      if (JSON.stringify(batch).includes(word)) throw new Error('string or blob too big');
      return commit(batch);
    },
  }));
}
