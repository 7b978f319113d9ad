import { leaseFromText } from '../model/lease.js';
import { recoverJob, type RecoveryParts } from '../scheduler/recovery.js';
import type { RunnerRecord } from '../scheduler/runner-entry.js';
import { restoreMarksOf } from '../scheduler/runner-marks.js';
import type { StoredJob } from '../store/store.js';

/** Brings a runner in that the store knows and this replica does not. */
export async function adoptRunners({ state, registry }: RecoveryParts, ids: Iterable<string>): Promise<void> {
  const unknown = new Set([...ids].filter((id) => registry.get(id) === undefined));
  if (unknown.size === 0) return;
  for (const { id, record } of await state.store.loadRunners()) {
    if (!unknown.has(id) || registry.get(id) !== undefined) continue;
    registry.restore(id, JSON.parse(record) as RunnerRecord);
    const entry = registry.get(id);
    if (entry !== undefined) await restoreMarksOf(state, entry);
  }
}

/** Takes jobs up that belong to this replica from now on: what waits is queued, what runs elsewhere is looked for. */
export async function adoptJobs(parts: RecoveryParts, jobs: readonly StoredJob[]): Promise<void> {
  const { state } = parts;
  await adoptRunners(
    parts,
    jobs.flatMap(({ lease }) => (lease === undefined ? [] : leaseFromText(lease).runnerId)),
  );
  for (const job of jobs) {
    if (state.jobs.has(job.id)) continue;
    try {
      await recoverJob(parts, job);
    } catch (error) {
      state.log('error', 'a job could not be taken up', { jobId: job.id, problem: String(error) });
    }
  }
  if (jobs.length > 0) state.wake();
}
