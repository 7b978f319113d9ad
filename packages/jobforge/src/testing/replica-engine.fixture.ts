import { JobSubmission } from '@controlplane/contracts';
import { DEFAULT_LIMITS, type JobForgeLimits } from '../model/limits.js';
import { silentLog } from '../model/log.js';
import type { Operations } from '../model/operations.js';
import { createEngine, type Engine } from '../scheduler/engine.js';
import { openPostgresStore } from '../store/postgres-store.js';
import type { ReplicaStore } from '../store/replica-store.js';
import type { Store } from '../store/store.js';
import { dialInRegistration, eventsOf, type Offered, type ReceivedFrame } from './dial-in-runner.js';
import type { ManualClock } from './manual-clock.js';
import { ECHO } from './stub-runner.js';

export interface ReplicaEngineOptions {
  readonly url: string;
  readonly clock: ManualClock;
  readonly limits?: Partial<JobForgeLimits>;
  /** What the test changes of the store that is shared. */
  readonly change?: (store: ReplicaStore) => Partial<ReplicaStore>;
  readonly changeStore?: (store: Store) => Partial<Store>;
}

/** An engine among those over one PostgreSQL schema, whose store fails as the test says. */
export async function replicaEngine(options: ReplicaEngineOptions): Promise<Engine> {
  const { url, clock, change = () => ({}), changeStore = () => ({}) } = options;
  const store = await openPostgresStore({ url });
  const join = async (): Promise<ReplicaStore> => {
    const joined = await store.shared?.join();
    if (joined === undefined) throw new Error('the store is not shared');
    return { ...joined, ...change(joined) };
  };
  const engine = createEngine({
    store: { ...store, shared: { join }, ...changeStore(store) },
    // The runners of these tests say little by themselves.
    limits: { ...DEFAULT_LIMITS, heartbeatIntervalMs: 6_000, pollHoldMs: 2_000, ...options.limits },
    ...{ clock, random: Math.random, log: silentLog },
  });
  await engine.start();
  return engine;
}

/** Does what it is asked to, and fails once as if its answer were lost on the way. */
export function losingOneAnswer<Args extends unknown[], T>(
  deed: (...args: Args) => Promise<T>,
): (...args: Args) => Promise<T> {
  let lost = false;
  return async (...args) => {
    const answer = await deed(...args);
    if (lost) return answer;
    lost = true;
    throw new Error('the connection was reset');
  };
}

/** Fails once before it does anything. */
export function failingOnce<Args extends unknown[], T>(
  deed: (...args: Args) => Promise<T>,
): (...args: Args) => Promise<T> {
  let failed = false;
  return async (...args) => {
    if (failed) return deed(...args);
    failed = true;
    throw new Error('the connection was refused');
  };
}

export const asking = (capability: string): JobSubmission =>
  JobSubmission.parse({ type: capability, payload: { type: capability, data: { text: 'hi' } } });

/** Registers a runner of one capability that polls. */
export async function register(
  { operations }: Pick<Engine, 'operations'>,
  { name = 'runner', capability = 'echo' }: { readonly name?: string; readonly capability?: string } = {},
): Promise<string> {
  const { runnerId } = await operations.registerRunner(
    dialInRegistration({
      ...{ name, machineId: name, instanceId: name, delivery: { kind: 'long-poll' } },
      capabilities: [{ ...ECHO, id: capability, supportedJobTypes: [] }],
    }),
  );
  return runnerId;
}

/** What a poll brings. */
export async function offers(
  { operations }: Pick<Engine, 'operations'>,
  runnerId: string,
): Promise<Offered[]> {
  const { body } = await operations.pollRunner(runnerId, {});
  const { frames } = JSON.parse(body) as { frames: ReceivedFrame[] };
  return frames.flatMap((frame) => (frame.type === 'offers' ? [...(frame.executions ?? [])] : []));
}

export async function succeed(operations: Operations, offered: Offered): Promise<void> {
  const { executionId, leaseToken } = offered;
  const events = eventsOf(offered, [{ type: 'succeeded', data: 'done', executionTimeMs: 1 }], 1);
  await operations.recordEvents(executionId, { leaseToken, events: events as never });
}

/** Runs whatever it is offered, until the engine stops. */
export async function work({ operations }: Engine, runnerId: string): Promise<void> {
  for (;;)
    for (const offered of await offers({ operations }, runnerId)) {
      const { executionId, leaseToken } = offered;
      await operations.acceptExecution(executionId, { leaseToken });
      await succeed(operations, offered);
    }
}
