import type { StoredLink } from './chain-store.js';
import type {
  FinalState,
  StoredEnd,
  JobPage,
  JobQuery,
  Store,
  StoredAttempt,
  StoredEvent,
  StoredJob,
  StoredRecord,
  StoredState,
} from './store.js';

/** What an engine answers from its rows. */
export type StoreReads = Pick<
  Store,
  | 'loadJob'
  | 'loadJobs'
  | 'loadHistory'
  | 'loadNotifications'
  | 'loadCheckpoint'
  | 'listJobs'
  | 'unfinishedJobs'
  | 'loadRunners'
  | 'loadRecords'
>;

/** A row as a driver hands it over: numbers may come as text. */
export type Row = Record<string, unknown>;

/** Columns of a job and of its end, for {@link toJob}. */
export const JOB_COLUMNS = `
  j.seq, j.id, j.type, j.head, j.input, j.created_at, j.state, j.lease, j.attempt, j.retries, j.next_at, j.error, j.cancel,
  e.status AS e_status, e.attempt AS e_attempt, e.event_seq AS e_event_seq, e.started_at AS e_started_at,
  e.ended_at AS e_ended_at, e.runner_id AS e_runner_id, e.runner_version AS e_runner_version,
  e.execution_id AS e_execution_id, e.data AS e_data, e.error AS e_error, e.dropped AS e_dropped,
  e.dropped_bytes AS e_dropped_bytes`;
export const JOINED = `SELECT ${JOB_COLUMNS} FROM jobs j LEFT JOIN ends e ON e.seq = j.seq`;

/** Rows that one page looks at for a rare type before it ends short. */
const MAX_ROWS_EXAMINED = 20_000;

export const text = (row: Row, column: string): string => String(row[column]);
export const number = (row: Row, column: string): number => Number(row[column]);
export const textOrNone = (row: Row, column: string): string | undefined =>
  row[column] === null ? undefined : text(row, column);
const numberOrNone = (row: Row, column: string): number | undefined =>
  row[column] === null ? undefined : number(row, column);

function toEnd(row: Row): StoredEnd | undefined {
  if (row['e_status'] === null) return undefined;
  return {
    status: text(row, 'e_status') as FinalState,
    attempt: number(row, 'e_attempt'),
    eventSeq: number(row, 'e_event_seq'),
    startedAt: numberOrNone(row, 'e_started_at'),
    endedAt: number(row, 'e_ended_at'),
    runnerId: textOrNone(row, 'e_runner_id'),
    runnerVersion: textOrNone(row, 'e_runner_version'),
    executionId: textOrNone(row, 'e_execution_id'),
    data: textOrNone(row, 'e_data'),
    error: textOrNone(row, 'e_error'),
    dropped: number(row, 'e_dropped'),
    droppedBytes: number(row, 'e_dropped_bytes'),
  };
}

export function toJob(row: Row): StoredJob {
  return {
    seq: number(row, 'seq'),
    id: text(row, 'id'),
    type: text(row, 'type'),
    head: text(row, 'head'),
    input: text(row, 'input'),
    createdAt: number(row, 'created_at'),
    state: text(row, 'state') as StoredState,
    lease: textOrNone(row, 'lease'),
    attempt: number(row, 'attempt'),
    retries: number(row, 'retries'),
    nextAt: numberOrNone(row, 'next_at'),
    error: textOrNone(row, 'error'),
    cancel: textOrNone(row, 'cancel'),
    end: toEnd(row),
  };
}

export const toRecord = (row: Row): StoredRecord => ({ id: text(row, 'id'), record: text(row, 'record') });

export const toAttempt = (row: Row): StoredAttempt => ({
  attempt: number(row, 'attempt'),
  eventSeq: number(row, 'event_seq'),
  startedAt: number(row, 'started_at'),
  endedAt: number(row, 'ended_at'),
  nextAt: number(row, 'next_at'),
  runnerId: text(row, 'runner_id'),
  executionId: text(row, 'execution_id'),
  error: text(row, 'error'),
});

export const toEvent = (row: Row): StoredEvent => ({
  attempt: number(row, 'attempt'),
  eventSeq: number(row, 'event_seq'),
  at: number(row, 'at'),
  type: text(row, 'type') as StoredEvent['type'],
  data: text(row, 'data'),
});

export const toLink = (row: Row): StoredLink => ({
  seq: number(row, 'seq'),
  at: number(row, 'at'),
  record: textOrNone(row, 'record'),
  hash: text(row, 'hash'),
});

/** Rows of jobs, newest first: those below `query.before` at first. */
export type RowsOf = (query: JobQuery, limit: number) => Row[] | Promise<Row[]>;

/** One page: rows are examined in rising bites, so that a filter that matches often reads little. */
export async function pageOfJobs(query: JobQuery, rowsOf: RowsOf): Promise<JobPage> {
  const jobs: StoredJob[] = [];
  let { before } = query;
  for (let examined = 0; examined < MAX_ROWS_EXAMINED;) {
    const bite = Math.max(query.limit + 1, Math.min(examined, 2_000));
    const rows = await rowsOf({ ...query, before }, bite);
    for (const row of rows) {
      if (query.type !== undefined && row['type'] !== query.type) continue;
      if (jobs.length === query.limit) return { jobs, next: jobs.at(-1)?.seq };
      jobs.push(toJob(row));
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < bite) return { jobs, next: undefined };
    before = number(last, 'seq');
    examined += rows.length;
  }
  return { jobs, next: before };
}
