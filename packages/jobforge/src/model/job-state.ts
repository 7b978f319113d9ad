import type { JobStatus } from '@controlplane/contracts';

/**
 * Where a job stands inside JobForge.
 *
 * - `submitting` its row is not on disk yet
 * - `pending` waits for its `scheduledAt`
 * - `queued` waits for a runner
 * - `leased` is offered to a runner that has not accepted it yet
 * - `running` a runner has accepted it
 * - `retrying` waits for its next attempt
 * - `ending` its end is known and being written
 * - `ended` its end is on disk
 */
export type JobPhase =
  | 'submitting'
  | 'pending'
  | 'queued'
  | 'leased'
  | 'running'
  | 'retrying'
  | 'ending'
  | 'ended';

/** Every step that a job may take. What is not here is a defect. */
export const JOB_TRANSITIONS: Readonly<Record<JobPhase, readonly JobPhase[]>> = {
  submitting: ['pending', 'queued', 'leased', 'retrying', 'ended'],
  pending: ['queued', 'ending'],
  queued: ['leased', 'ending'],
  leased: ['running', 'queued', 'ending'],
  running: ['queued', 'retrying', 'ending'],
  retrying: ['queued', 'ending'],
  ending: ['ended'],
  ended: [],
};

/** Whether a job may go from one phase to the other. */
export function canMove(from: JobPhase, to: JobPhase): boolean {
  return JOB_TRANSITIONS[from].includes(to);
}

/**
 * Moves a job to another phase.
 * @throws RangeError when the table does not allow the step
 */
export function moveJob(job: { readonly id: string; phase: JobPhase }, to: JobPhase): void {
  if (!canMove(job.phase, to)) throw new RangeError(`job ${job.id} cannot go from ${job.phase} to ${to}`);
  job.phase = to;
}

const SHOWN: Readonly<Record<Exclude<JobPhase, 'ended'>, JobStatus>> = {
  submitting: 'queued',
  pending: 'pending',
  queued: 'queued',
  leased: 'queued',
  running: 'running',
  retrying: 'retrying',
  ending: 'running',
};

/** The status that clients are shown for a job that has not ended on disk. */
export function shownStatus(phase: JobPhase): JobStatus {
  return phase === 'ended' ? 'completed' : SHOWN[phase];
}
