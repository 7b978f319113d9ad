import type { CheckpointEvent, ExecutionEvent, ExtendedEvent } from '@controlplane/contracts';
import { keepLog, keepProgress } from './kept-events.js';
import { isNotification, keepNotification } from './kept-notifications.js';
import type { Execution } from './live-job.js';
import type { LiveState } from './live-state.js';

/** What an execution tells between its beginning and its end. */
export type Announcement = Exclude<
  ExecutionEvent,
  { readonly type: 'accepted' | 'succeeded' | 'failed' | 'cancelled' }
>;

/** Keeps where the work stands. It counts for the next attempt once it is on disk. */
function keepCheckpoint(
  { commit, limits, log }: LiveState,
  { job }: Execution,
  event: CheckpointEvent,
): void {
  const data = JSON.stringify(event.data ?? null);
  const bytes = Buffer.byteLength(data);
  if (bytes > limits.maxCheckpointBytes) {
    const { maxCheckpointBytes } = limits;
    return log('warn', 'a checkpoint is too large and not kept', {
      jobId: job.id,
      bytes,
      maxCheckpointBytes,
    });
  }
  commit.keep({ kind: 'put-checkpoint', seq: job.seq, data });
  // What is written after it finds it: the job's end takes it along, although both came together.
  job.checkpointed = true;
}

/** Moves the time at which JobForge ends an execution by itself, as far as it may be moved. */
function extend({ limits }: LiveState, execution: Execution, event: ExtendedEvent): void {
  const timeoutMs = Math.min(event.timeoutMs, execution.timeoutMs + limits.maxExtensionMs);
  const deadlineAt = execution.startedAt + timeoutMs + limits.overdueMs;
  execution.deadlineAt = Math.max(execution.deadlineAt, deadlineAt);
}

/** Acts on what an execution tells while it runs. */
export function hearNews(state: LiveState, execution: Execution, event: Announcement): void {
  switch (event.type) {
    case 'log':
      if (isNotification(execution.job, event)) return keepNotification(state, execution, event);
      return keepLog(state, execution, event);
    case 'progress':
      return keepProgress(state, execution, event);
    case 'checkpoint':
      return keepCheckpoint(state, execution, event);
    case 'extended':
      return extend(state, execution, event);
    case 'writing':
      execution.writing = true;
  }
}
