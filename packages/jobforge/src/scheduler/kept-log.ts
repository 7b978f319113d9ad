import type { JsonObject } from '@controlplane/contracts';
import type { StoredEvent } from '../store/store.js';
import type { LiveJob } from './live-job.js';
import type { LiveState } from './live-state.js';
import { createLogRecord, type LogRecord } from './log-record.js';
import type { LogData, LogRow } from './log-row.js';

/** The latest time by which the store has the end of a log that goes on. */
const FLUSH_MS = 1_000;

/** The record of a job's log; made with the first line. */
export function logOf({ limits }: LiveState, job: LiveJob): LogRecord {
  job.log ??= createLogRecord(limits.maxLogBytes);
  return job.log;
}

/** Writes the part of a job's log that is not on disk yet. */
export function flushLog({ commit }: LiveState, { seq, log }: LiveJob): void {
  if (log === undefined) return;
  const { put, remove } = log.flush();
  for (const { data, ...place } of put)
    commit.keep({ kind: 'add-event', seq, ...place, type: 'log', data: JSON.stringify(data) });
  for (const place of remove) commit.keep({ kind: 'remove-event', seq, ...place });
}

/** Has the end of a log written soon. */
export function flushLogSoon(state: LiveState, job: LiveJob): void {
  if (job.flushing) return;
  job.flushing = true;
  state.agenda.add(state.clock.now() + FLUSH_MS, () => {
    job.flushing = false;
    if (job.phase !== 'ending' && job.phase !== 'ended') flushLog(state, job);
  });
}

/** Reads a row of the log as the store has it. */
export function toLogRow({ attempt, eventSeq, at, data }: StoredEvent): LogRow {
  return { attempt, eventSeq, at, data: JSON.parse(data) as LogData };
}

/** A row of the log as the data of its event: the place of what is missing is named within the message. */
export function toLogContent({ level, message, fields, stream, head = '', gap }: LogData): JsonObject {
  const missing = gap !== undefined && gap.bytes > 0;
  const start = head === '' || head.endsWith('\n') ? head : `${head}\n`;
  const text = missing ? `${start}[${gap.bytes} bytes of log left out]\n${message}` : head + message;
  const content: JsonObject = { level, message: text };
  if (fields !== undefined) content['fields'] = fields;
  if (stream !== undefined) content['stream'] = stream;
  if (missing) content['droppedBytes'] = gap.bytes;
  return content;
}
