import type { JsonObject, LogEvent, ProgressEvent } from '@controlplane/contracts';
import { toJobEvent } from '../model/job-event.js';
import type { Execution } from './live-job.js';
import type { LiveState } from './live-state.js';

/** What an event costs beside its text. */
const EVENT_BYTES = 64;

function contentOf(event: LogEvent | ProgressEvent): JsonObject {
  if (event.type === 'progress')
    return event.message === undefined
      ? { fraction: event.fraction }
      : { fraction: event.fraction, message: event.message };
  const { level, message, fields } = event;
  return fields === undefined ? { level, message } : { level, message, fields };
}

/**
 * Keeps a log line or a step of progress and passes it on once it is on disk. Beyond the job's limit it is counted
 * as dropped and passed on alone.
 */
export function keepEvent(state: LiveState, execution: Execution, event: LogEvent | ProgressEvent): void {
  const { job, attempt } = execution;
  const content = contentOf(event);
  const at = state.clock.now();
  const type = event.type === 'log' ? 'job.log' : 'job.progress';
  const emit = (): void => {
    state.hub.emit(job.id, () =>
      toJobEvent(job.id, { attempt, seq: event.seq }, { type, at, data: content }),
    );
  };
  if (event.type === 'progress') job.progress = content as { fraction: number; message?: string };
  const data = JSON.stringify(content);
  job.keptBytes += Buffer.byteLength(data) + EVENT_BYTES;
  if (job.keptBytes > state.limits.maxLogBytes) {
    job.dropped += 1;
    return emit();
  }
  const { seq } = job;
  state.commit.keep(
    { kind: 'add-event', seq, attempt, eventSeq: event.seq, at, type: event.type, data },
    emit,
  );
}
