import type { LinkRegistry } from '../links/link-registry.js';
import type { RecoveryParts } from '../scheduler/recovery.js';
import type { Execution, RunnerEntry } from '../scheduler/live-job.js';
import { flushLog } from '../scheduler/kept-log.js';
import { vacate } from '../scheduler/occupancy.js';
import type { ReplicaStore } from '../store/replica-store.js';
import { adoptJobs, adoptRunners } from './adoption.js';
import { letGo } from './claims.js';
import type { ReplicaCalls } from './replica-calls.js';

export interface MoveParts {
  readonly recovery: RecoveryParts;
  readonly links: LinkRegistry;
  readonly store: () => ReplicaStore;
  readonly calls: ReplicaCalls;
}

/** Forgets an execution here without a word to its runner: it goes on, and is somebody else's. */
function forgetExecution({ state }: RecoveryParts, execution: Execution): void {
  const { job, lease, runner } = execution;
  flushLog(state, job);
  execution.phase = 'closed';
  state.executions.delete(lease.executionId);
  runner.link.forget(lease.executionId);
  vacate(state, execution);
  letGo(state, job);
}

/** Lets a runner go that has come to another replica, with what it runs. */
export async function releaseRunner(
  { recovery, store }: MoveParts,
  runnerId: string,
  to: number,
): Promise<readonly number[]> {
  const { state, registry } = recovery;
  const entry = registry.get(runnerId);
  if (entry === undefined) return [];
  // What it has not claimed it does not run.
  for (const execution of openOf(entry)) recovery.endings.putBack(execution);
  const executions = [...entry.executions.values()];
  for (const execution of executions) forgetExecution(recovery, execution);
  const seqs = executions.map(({ job }) => job.seq);
  registry.release(entry);
  await new Promise<void>((resolve) => state.commit.passed(resolve));
  if (seqs.length > 0) await store().release(seqs, to);
  state.log('info', 'a runner has gone to another replica', { runner: entry.name, executions: seqs.length });
  return seqs;
}

const openOf = (entry: RunnerEntry): Execution[] =>
  [...entry.executions.values()].filter(
    ({ phase, recovered, runner }) => phase === 'open' && !recovered && runner.link.confirmsAccepts,
  );

/** Has every other replica let a runner go; asks again where one of them was lost meanwhile. */
export async function summonRunner({ recovery, store, calls }: MoveParts, runnerId: string): Promise<void> {
  const asked = new Set<number>();
  const handed: number[] = [];
  for (;;) {
    const others = (await store().others()).map(({ id }) => id);
    const next = others.find((id) => id !== 0 && !asked.has(id));
    if (next === undefined) break;
    try {
      handed.push(...((await calls.ask(next, 'releaseRunner', [runnerId, store().id])) as number[]));
      asked.add(next);
    } catch (error) {
      const there = (await store().others()).some(({ id }) => id === next);
      if (there) throw error;
      // Whoever took over what it had may have been asked before that.
      asked.clear();
    }
  }
  await adoptRunners(recovery, [runnerId]);
  const jobs = await recovery.state.store.loadJobs(handed);
  await adoptJobs(
    recovery,
    jobs.filter(({ end }) => end === undefined),
  );
}
