import { RunnerCapability } from '@controlplane/contracts';
import { expect, it } from 'vitest';
import { createManualClock } from '../testing/manual-clock.js';
import { ECHO } from '../testing/stub-runner.js';
import { createAffinityPins } from './affinity-pins.js';
import { createConcurrencyKeys } from './concurrency-keys.js';
import type { Execution, RunnerEntry } from './live-job.js';
import type { LiveState } from './live-state.js';
import { vacate } from './occupancy.js';
import { createRateLimits } from './rate-limits.js';
import { createReadyQueue, type ReadyQueue } from './ready-queue.js';
import type { RunnerRegistry } from './runner-registry.js';
import { createScheduler } from './scheduler.js';
import { createRunnerOffers } from './runner-offers.js';
import { waitingJob } from './waiting-job.fixture.js';

const CAPABILITY = RunnerCapability.parse({ ...ECHO, maxConcurrency: 1_000 });
const VITALS = {
  ...{ reported: 'healthy', lost: false, unheard: false, draining: false },
  ...{ unreachable: false, stalledMs: 0, blockedUntil: 0 },
} as const;

interface Bench {
  readonly queue: ReadyQueue;
  readonly placed: Execution[];
  /** How often a runner was asked how many executions it has, lately. */
  asked(): number;
  /** Ends an execution and looks for what can run now. */
  end(execution: Execution): void;
  run(): void;
}

/** A scheduler over runners of a few slots each, which counts how often it looks at one. */
function openBench(names: readonly string[], slots: number): Bench {
  let asked = 0;
  const runners = new Map<string, RunnerEntry>();
  for (const name of names) {
    const executions = new Map<string, Execution>();
    const entry = {
      ...{ id: name, name, capabilities: [CAPABILITY], labels: undefined, platform: undefined, slots },
      ...{ vitals: VITALS, marks: {}, connected: true, hasRoom: true, executions, leaving: false },
      ...{
        activeByCapability: new Map(),
        activeOf: () => executions.size,
        registration: { capabilities: [CAPABILITY] },
      },
      get active() {
        asked += 1;
        return executions.size;
      },
    };
    runners.set(name, entry as unknown as RunnerEntry);
  }
  const clock = createManualClock();
  const ready = createReadyQueue();
  const placed: Execution[] = [];
  const rates = createRateLimits({ configured: {}, clock, keep: () => undefined, later: () => undefined });
  const state = {
    ...{ ready, clock, rates, stopping: false, executions: new Map<string, Execution>() },
    affinity: createAffinityPins(clock, 1_000),
    concurrency: createConcurrencyKeys(ready.unhold),
    agenda: { add: () => undefined },
    commit: { keep: (_operation: unknown, stored: () => void) => stored() },
    wake: (runner: RunnerEntry) => ready.release(runner),
    look: () => undefined,
  } as unknown as LiveState;
  const registry = createRunnerOffers(runners, rates) as unknown as RunnerRegistry;
  const dispatcher = { send: (execution: Execution) => void placed.push(execution) };
  const scheduler = createScheduler({ state, registry, dispatcher: dispatcher as never });
  return {
    queue: ready,
    placed,
    asked() {
      const before = asked;
      asked = 0;
      return before;
    },
    end(execution) {
      vacate(state, execution);
      scheduler.run();
    },
    run: scheduler.run,
  };
}

it('costs by what can run: 100,000 waiting jobs of 1,000 affinity keys are not looked at one by one', () => {
  const names = Array.from({ length: 10 }, (_, at) => `r${at}`);
  const bench = openBench(names, 5);
  for (let at = 0; at < 100_000; at += 1)
    bench.queue.push(waitingJob(at, { placement: { affinity: `k${at % 1_000}` } }));
  bench.run();
  expect(bench.placed).toHaveLength(50);
  bench.asked();
  for (let at = 0; at < 500; at += 1) {
    const execution = bench.placed[at];
    if (execution !== undefined) bench.end(execution);
  }
  expect(bench.placed).toHaveLength(550);
  // The pools that wait for its runner: one of its own keys, one of keys without a runner.
  expect(bench.asked() / 500).toBeLessThan(100);
});

it('costs nothing for a concurrency key that is taken', () => {
  const bench = openBench(['r0'], 100);
  for (let at = 0; at < 20_000; at += 1)
    bench.queue.push(waitingJob(at, { concurrency: { key: `k${at % 10}`, limit: 1, onConflict: 'queue' } }));
  bench.run();
  expect(bench.placed).toHaveLength(10);
  bench.asked();
  for (let at = 0; at < 500; at += 1) {
    const execution = bench.placed[at];
    if (execution !== undefined) bench.end(execution);
  }
  expect(bench.placed).toHaveLength(510);
  expect(bench.asked() / 500).toBeLessThan(10);
});

it('keeps each key on one runner, and gives every free slot to somebody', () => {
  const bench = openBench(['r0', 'r1', 'r2'], 2);
  for (let at = 0; at < 600; at += 1)
    bench.queue.push(waitingJob(at, { placement: { affinity: `k${at % 20}` } }));
  bench.run();
  for (let at = 0; at < bench.placed.length; at += 1) {
    const execution = bench.placed[at];
    if (execution !== undefined) bench.end(execution);
  }
  expect(bench.placed).toHaveLength(600);
  const runnersOf = new Map<string, Set<string>>();
  for (const { job, runner } of bench.placed) {
    const key = job.terms.affinity ?? '';
    runnersOf.set(key, (runnersOf.get(key) ?? new Set()).add(runner.name));
  }
  expect([...runnersOf.values()].map((used) => used.size)).toEqual(Array.from({ length: 20 }, () => 1));
});
