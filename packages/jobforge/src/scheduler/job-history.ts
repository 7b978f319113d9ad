import type { ErrorEnvelope, JobEvent, JsonObject } from '@controlplane/contracts';
import { CREATED, QUEUED, parseEventId, toJobEvent, type EventPosition } from '../model/job-event.js';
import { readHead } from '../model/job-record.js';
import { leaseFromText } from '../model/lease.js';
import type { JobHistory, StoredAttempt, StoredEvent, StoredJob } from '../store/store.js';
import { iso, toEndEvent } from './job-views.js';
import { toLogContent, toLogRow } from './kept-log.js';
import type { LiveJob } from './live-job.js';
import type { LogRow } from './log-row.js';

function beginning({ id, createdAt, head }: StoredJob, live: LiveJob | undefined): JobEvent[] {
  const { type, payload, metadata } = readHead(head);
  const events = [
    toJobEvent(id, CREATED, { type: 'job.created', at: createdAt, data: { type, capability: payload.type } }),
  ];
  if (live?.phase === 'pending') return events;
  const at = Math.max(createdAt, metadata.scheduledAt === undefined ? 0 : Date.parse(metadata.scheduledAt));
  return [...events, toJobEvent(id, QUEUED, { type: 'job.queued', at })];
}

function started(jobId: string, attempt: number, { at, ...data }: { at: number } & JsonObject): JobEvent {
  return toJobEvent(jobId, { attempt, seq: 0 }, { type: 'job.started', at, data: { attempt, ...data } });
}

function ofAttempt(
  jobId: string,
  { attempt, eventSeq, startedAt, endedAt, nextAt, error, ...who }: StoredAttempt,
): JobEvent[] {
  const data = { error: JSON.parse(error) as ErrorEnvelope, attempt, nextAttemptAt: iso(nextAt) };
  const retrying = toJobEvent(jobId, { attempt, seq: eventSeq }, { type: 'job.retrying', at: endedAt, data });
  return eventSeq === 0 || who.runnerId === ''
    ? [retrying]
    : [
        started(jobId, attempt, { at: startedAt, runnerId: who.runnerId, executionId: who.executionId }),
        retrying,
      ];
}

/** Another JobForge has given it to a runner. */
function startedElsewhere({ id, attempt }: StoredJob, text: string): JobEvent[] {
  const { runnerId, executionId, since } = leaseFromText(text);
  return since === undefined ? [] : [started(id, attempt + 1, { at: since, runnerId, executionId })];
}

function ofNow(stored: StoredJob, live: LiveJob | undefined): JobEvent[] {
  const { id, end } = stored;
  if (end !== undefined) {
    const ran = end.startedAt !== undefined && end.eventSeq > 0;
    const start = ran
      ? [
          started(id, end.attempt, {
            at: end.startedAt ?? 0,
            runnerId: end.runnerId,
            executionId: end.executionId,
          }),
        ]
      : [];
    return [...start, toEndEvent(id, end)];
  }
  if (live === undefined && stored.lease !== undefined) return startedElsewhere(stored, stored.lease);
  if (live?.begun === undefined) return [];
  const { attempt, startedAt, runner, lease } = live.begun;
  return [started(id, attempt, { at: startedAt, runnerId: runner.id, executionId: lease.executionId })];
}

/** Of a row whose data is that of its event. */
function plainEvent(jobId: string, { attempt, eventSeq, at, type, data }: StoredEvent): JobEvent {
  const content = { type: `job.${type}`, at, data: JSON.parse(data) as JsonObject } as const;
  return toJobEvent(jobId, { attempt, seq: eventSeq }, content);
}

function logEvent(jobId: string, { attempt, eventSeq, at, data }: LogRow): JobEvent {
  const content = { type: 'job.log', at, data: toLogContent(data) } as const;
  return toJobEvent(jobId, { attempt, seq: eventSeq }, content);
}

const positionOf = (event: JobEvent): EventPosition => parseEventId(event.id) ?? CREATED;

/** Everything that has happened to a job, in order; what is both stored and known here may come twice. Ids are made from what is stored, so they are the same again after a restart. */
export function toEvents(stored: StoredJob, history: JobHistory, live: LiveJob | undefined): JobEvent[] {
  const { id } = stored;
  const log = live?.log;
  // The end of a log that goes on is told as it is now: what is on disk of it is older.
  const stale = (event: StoredEvent): boolean => event.type === 'log' && log?.isFixed(event) === false;
  const kept = history.events
    .filter((event) => !stale(event))
    .map((event) => (event.type === 'log' ? logEvent(id, toLogRow(event)) : plainEvent(id, event)));
  const events = [
    ...beginning(stored, live),
    ...history.attempts.flatMap((attempt) => ofAttempt(id, attempt)),
    ...kept,
    ...(log?.changing() ?? []).map((row) => logEvent(id, row)),
    ...ofNow(stored, live),
  ];
  return events.sort((left, right) => {
    const [one, other] = [positionOf(left), positionOf(right)];
    return one.attempt - other.attempt || one.seq - other.seq;
  });
}
