import { redactText, type JsonObject, type LogEvent, type ProgressEvent } from '@controlplane/contracts';
import { toJobEvent } from '../model/job-event.js';
import { redactFields } from '../model/redact-fields.js';
import { tellInOrder, tellLater } from './event-order.js';
import { flushLog, flushLogSoon, logOf } from './kept-log.js';
import type { Execution } from './live-job.js';
import type { LiveState } from './live-state.js';

/** Bytes of steps of progress kept for a job, and what each costs beside its text. */
const MAX_PROGRESS_BYTES = 16 * 1024;
export const STEP_BYTES = 64;

function emitter(
  { hub }: LiveState,
  { job, attempt }: Execution,
  event: {
    readonly seq: number;
    readonly type: 'job.log' | 'job.progress';
    readonly at: number;
    readonly data: JsonObject;
  },
): () => void {
  const { seq, type, at, data } = event;
  return () => hub.emit(job.id, () => toJobEvent(job.id, { attempt, seq }, { type, at, data }));
}

/** Keeps a step of progress and passes it on once it is on disk; beyond the limit it is counted and passed on alone. */
export function keepProgress(state: LiveState, execution: Execution, event: ProgressEvent): void {
  const { job, attempt } = execution;
  const { fraction, message, seq: eventSeq } = event;
  const data = message === undefined ? { fraction } : { fraction, message: redactText(message) };
  job.progress = data;
  // Read once: an event is told with the time that it is kept with.
  const at = state.clock.now();
  const emit = emitter(state, execution, { seq: eventSeq, type: 'job.progress', at, data });
  const text = JSON.stringify(data);
  job.progressBytes += Buffer.byteLength(text) + STEP_BYTES;
  if (job.progressBytes > MAX_PROGRESS_BYTES) {
    job.dropped += 1;
    return tellInOrder(job, emit);
  }
  const tell = tellLater(job, emit);
  const place = { seq: job.seq, attempt, eventSeq, at };
  state.commit.keep({ kind: 'add-event', ...place, type: 'progress', data: text }, tell, tell);
}

/**
 * Takes a log line into the job's record and passes it on. The first half of the record is on disk before it is passed
 * on; the second half, which changes with every line, follows within a second.
 */
export function keepLog(state: LiveState, execution: Execution, event: LogEvent): void {
  const { job, attempt } = execution;
  const { seq: eventSeq, level, stream } = event;
  const message = redactText(event.message);
  const fields = event.fields === undefined ? undefined : redactFields(event.fields);
  const at = state.clock.now();
  const data: JsonObject = { level, message };
  if (fields !== undefined) data['fields'] = fields;
  if (stream !== undefined) data['stream'] = stream;
  const emit = emitter(state, execution, { seq: eventSeq, type: 'job.log', at, data });
  const isFirst = job.log === undefined || !job.log.isFull();
  const row = logOf(state, job).add({ attempt, eventSeq, at, level, message, fields, stream });
  if (row !== undefined) {
    const tell = tellLater(job, emit);
    const place = { seq: job.seq, attempt, eventSeq, at };
    return state.commit.keep(
      { kind: 'add-event', ...place, type: 'log', data: JSON.stringify(row.data) },
      tell,
      tell,
    );
  }
  tellInOrder(job, emit);
  // What the first half ends with is half a line until then.
  if (isFirst) flushLog(state, job);
  else flushLogSoon(state, job);
}
