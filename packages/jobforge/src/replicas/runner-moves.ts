import type { RecoveryParts } from '../scheduler/recovery.js';
import type { Execution, RunnerEntry } from '../scheduler/live-job.js';
import { flushLog } from '../scheduler/kept-log.js';
import { vacate } from '../scheduler/occupancy.js';
import { reading } from '../scheduler/store-reads.js';
import { createTurns } from '../scheduler/turns.js';
import { adoptJobs, adoptRunners } from './adoption.js';
import { letGo } from './claims.js';
import type { Membership } from './membership.js';
import type { ReplicaDesk } from './replica-desk.js';

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

/** Forgets a runner and what it runs; what it has not claimed it does not run. */
function forgetRunner({ recovery, owed }: ReplicaDesk, entry: RunnerEntry): void {
  for (const execution of openOf(entry)) recovery.endings.putBack(execution);
  const executions = [...entry.executions.values()];
  for (const execution of executions) forgetExecution(recovery, execution);
  if (executions.length > 0)
    owed.set(
      entry.id,
      executions.map(({ job }) => job.seq),
    );
  recovery.registry.release(entry);
}

/** Lets a runner go that has come to another replica, with what it runs. Asked again it hands over what it owes. */
export async function releaseRunner(
  desk: ReplicaDesk,
  runnerId: string,
  to: number,
): Promise<readonly number[]> {
  const { recovery, store, owed, homes } = desk;
  const { state, registry } = recovery;
  const entry = registry.get(runnerId);
  if (entry !== undefined) {
    forgetRunner(desk, entry);
    homes.moved(runnerId, to);
  }
  // What was found again meanwhile is this replica's.
  const here = new Set([...state.jobs.values()].map(({ seq }) => seq));
  const seqs = (owed.get(runnerId) ?? []).filter((seq) => !here.has(seq));
  if (entry === undefined && seqs.length === 0) return [];
  await new Promise<void>((resolve) => state.commit.passed(resolve));
  if (seqs.length > 0) await store().release(seqs, to);
  owed.delete(runnerId);
  state.log('info', 'a runner has gone to another replica', { runner: runnerId, executions: seqs.length });
  return seqs;
}

const openOf = (entry: RunnerEntry): Execution[] =>
  [...entry.executions.values()].filter(
    ({ phase, recovered, runner }) => phase === 'open' && !recovered && runner.link.confirmsAccepts,
  );

/** Has every other replica let a runner go; asks again where one of them was lost meanwhile. */
async function summonRunner(desk: ReplicaDesk, runnerId: string): Promise<void> {
  const { recovery, store, calls, records } = desk;
  const asked = new Set<number>();
  const handed: number[] = [];
  for (;;) {
    const others = (await store().others()).map(({ id }) => id);
    const next = others.find((id) => id !== 0 && !asked.has(id));
    if (next === undefined) break;
    try {
      handed.push(
        ...((await calls.ask(next, { name: 'releaseRunner', args: [runnerId, store().id] })) as number[]),
      );
      asked.add(next);
    } catch (error) {
      const there = (await store().others()).some(({ id }) => id === next);
      if (there) throw error;
      // Whoever took over what it had may have been asked before that.
      asked.clear();
    }
  }
  // What it proves itself with may have been handed out where it was.
  await records.reload();
  await adoptRunners(recovery, [runnerId]);
  const jobs = await recovery.state.store.loadJobs(handed);
  await adoptJobs(
    recovery,
    jobs.filter(({ end }) => end === undefined),
  );
}

/** Has a runner come here from wherever it is, with what it runs. */
export type Summon = (runnerId: string) => Promise<void>;

export interface SummonParts {
  readonly desk: ReplicaDesk;
  readonly expecting: Membership['expecting'];
}

/** Once for all who ask for the same runner at once. */
export function createSummon({ desk, expecting }: SummonParts): Summon {
  const turns = createTurns();
  const { inTurn, recovery, suspect } = desk;
  const bring = async (runnerId: string): Promise<void> => {
    expecting.count += 1;
    try {
      // A beat on its way may say that nothing as old as what comes now is here.
      await inTurn(async () => undefined);
      await reading(summonRunner(desk, runnerId));
    } catch (error) {
      suspect();
      throw error;
    } finally {
      expecting.count -= 1;
    }
  };
  const summon = async (runnerId: string): Promise<void> => {
    if (recovery.registry.get(runnerId) === undefined) await bring(runnerId);
    // What is being taken over of one that was lost may be what it runs: it is told of none that is not known here.
    await inTurn(async () => undefined);
  };
  return (runnerId) => turns.take(runnerId, () => summon(runnerId));
}
