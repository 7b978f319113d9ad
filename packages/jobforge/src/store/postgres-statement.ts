import { handOver, namesOf, type Column } from './postgres-column.js';
import type { PostgresValue } from './postgres-driver.js';
import type { GroupedBatch, JobChange } from './postgres-batch.js';
import type { CommitMark } from './postgres-marks.js';
import type { FinishJob, InsertJob, RetryJob } from './store.js';

/** One statement and what it is given. */
export interface PostgresStatement {
  readonly text: string;
  readonly values: readonly PostgresValue[];
}

/** Puts parts of one statement together: each is carried out, and all of them or none. */
interface Parts {
  /** The replica that writes; undefined where the store is not shared. */
  readonly replica: number | undefined;
  /** The rows as a table named `t`, with the place of each as `place`: none for a replica that was given up. */
  rowsOf<T>(rows: readonly T[], columns: readonly Column<T>[]): string;
  add(part: string): void;
}

const INSERTS: readonly Column<InsertJob>[] = [
  ['id', 'text', (job) => job.id],
  ['type', 'text', (job) => job.type, 'shared'],
  ['head', 'text', (job) => job.head],
  ['input', 'text', (job) => job.input],
  ['created_at', 'bigint', (job) => job.createdAt],
  ['state', 'text', (job) => job.state, 'shared'],
  ['lease', 'text', (job) => job.lease],
];

/** Beside the owner, which is the replica that writes or nobody. */
const PLACES: readonly Column<InsertJob>[] = [
  ...INSERTS,
  ['owned', 'int', ({ place }) => (place?.owned === false ? 0 : 1), 'shared'],
  ['lane', 'text', ({ place }) => place?.lane, 'shared'],
  ['rank', 'float8', ({ place }) => place?.rank],
  ['expires_at', 'bigint', ({ place }) => place?.expiresAt, 'shared'],
];

const LEASES: readonly Column<JobChange>[] = [
  ['seq', 'bigint', ({ seq }) => seq],
  ['lease', 'text', ({ lease }) => lease?.text],
];

const CHANGES: readonly Column<JobChange>[] = [
  ...LEASES,
  ['leases', 'int', ({ lease }) => (lease === undefined ? 0 : 1)],
  ['state', 'text', ({ retry }) => (retry === undefined ? null : 'retrying')],
  ['attempt', 'int', ({ retry }) => retry?.attempt],
  ['retries', 'int', ({ retry }) => retry?.retries],
  ['next_at', 'bigint', ({ retry }) => retry?.nextAt],
  ['error', 'text', ({ retry }) => retry?.error],
  ['cancel', 'text', ({ cancel }) => cancel],
];

const ATTEMPTS: readonly Column<RetryJob>[] = [
  ['seq', 'bigint', ({ seq }) => seq],
  ['attempt', 'int', ({ attempt }) => attempt],
  ['event_seq', 'bigint', ({ eventSeq }) => eventSeq],
  ['started_at', 'bigint', ({ startedAt }) => startedAt],
  ['ended_at', 'bigint', ({ endedAt }) => endedAt],
  ['next_at', 'bigint', ({ nextAt }) => nextAt],
  ['runner_id', 'text', ({ runnerId }) => runnerId],
  ['execution_id', 'text', ({ executionId }) => executionId],
  ['error', 'text', ({ error }) => error],
];

const ENDS: readonly Column<FinishJob>[] = [
  ['seq', 'bigint', ({ seq }) => seq],
  ['status', 'text', ({ status }) => status, 'shared'],
  ['attempt', 'int', ({ attempt }) => attempt, 'shared'],
  ['event_seq', 'bigint', ({ eventSeq }) => eventSeq, 'shared'],
  ['started_at', 'bigint', ({ startedAt }) => startedAt],
  ['ended_at', 'bigint', ({ endedAt }) => endedAt],
  ['runner_id', 'text', ({ runnerId }) => runnerId, 'shared'],
  ['runner_version', 'text', ({ runnerVersion }) => runnerVersion, 'shared'],
  ['execution_id', 'text', ({ executionId }) => executionId],
  ['data', 'text', ({ data }) => data],
  ['error', 'text', ({ error }) => error, 'shared'],
  ['dropped', 'bigint', ({ dropped }) => dropped, 'shared'],
  ['dropped_bytes', 'bigint', ({ droppedBytes }) => droppedBytes, 'shared'],
];

const LINKS: readonly Column<GroupedBatch['links'][number]>[] = [
  ['chain', 'text', ({ operation }) => operation.chain],
  ['at', 'bigint', ({ operation }) => operation.at],
  ['record', 'text', ({ operation }) => operation.record],
];

function insertJobs({ replica, rowsOf, add }: Parts, { inserts }: GroupedBatch): void {
  if (inserts.length === 0) return;
  if (replica !== undefined) {
    const names = `${namesOf(INSERTS)}, lane, rank, expires_at`;
    return add(`inserted AS (
      INSERT INTO jobs (owner, ${names})
      SELECT CASE WHEN owned = 1 THEN ${replica} END, ${names} FROM ${rowsOf(inserts, PLACES)} ORDER BY place
      ON CONFLICT (id) DO NOTHING RETURNING id, seq)`);
  }
  const names = namesOf(INSERTS);
  add(`inserted AS (
    INSERT INTO jobs (${names}) SELECT ${names} FROM ${rowsOf(inserts, INSERTS)} ORDER BY place
    ON CONFLICT (id) DO NOTHING RETURNING id, seq)`);
}

/** Rows in one order for all, so that of two who change the same none waits for the other in a circle. */
const bySeq = (left: { readonly seq: number }, right: { readonly seq: number }): number =>
  left.seq - right.seq;

function changeJobs({ rowsOf, add }: Parts, { changes }: GroupedBatch): void {
  const all = [...changes.values()].sort(bySeq);
  const leases = all.filter(({ retry, cancel }) => retry === undefined && cancel === undefined);
  const others = all.filter(({ retry, cancel }) => retry !== undefined || cancel !== undefined);
  if (leases.length > 0)
    add(`leased AS (UPDATE jobs SET lease = t.lease FROM ${rowsOf(leases, LEASES)} WHERE jobs.seq = t.seq)`);
  if (others.length > 0)
    add(`changed AS (
      UPDATE jobs SET lease = CASE WHEN t.leases = 1 THEN t.lease ELSE jobs.lease END,
        state = coalesce(t.state, jobs.state), attempt = coalesce(t.attempt, jobs.attempt),
        retries = coalesce(t.retries, jobs.retries), next_at = coalesce(t.next_at, jobs.next_at),
        error = coalesce(t.error, jobs.error), cancel = coalesce(t.cancel, jobs.cancel)
      FROM ${rowsOf(others, CHANGES)} WHERE jobs.seq = t.seq)`);
}

function append<T>(
  { rowsOf, add }: Parts,
  table: string,
  rows: { of: readonly T[]; as: readonly Column<T>[] },
): void {
  if (rows.of.length === 0) return;
  const names = namesOf(rows.as);
  add(`new_${table} AS (
    INSERT INTO ${table} (${names}) SELECT ${names} FROM ${rowsOf(rows.of, rows.as)} ORDER BY place
    ON CONFLICT DO NOTHING)`);
}

/** Rows that are put, over those of the same key, and keys that are removed. */
interface Documents<Put, Remove> {
  readonly table: string;
  readonly puts: readonly Put[];
  readonly removals: readonly Remove[];
  readonly columns: readonly Column<Put>[];
  readonly key: readonly Column<Remove>[];
}

function keepDocuments<Put, Remove>(
  { rowsOf, add }: Parts,
  { table, puts, removals, columns, key }: Documents<Put, Remove>,
): void {
  const names = namesOf(columns);
  const keys = key.map(([name]) => name);
  const rest = columns.map(([name]) => name).filter((name) => !keys.includes(name));
  if (puts.length > 0)
    add(`put_${table} AS (
      INSERT INTO ${table} (${names}) SELECT ${names} FROM ${rowsOf(puts, columns)} ORDER BY place
      ON CONFLICT (${keys.join(', ')}) DO UPDATE SET ${rest.map((name) => `${name} = excluded.${name}`).join(', ')})`);
  if (removals.length > 0)
    add(`removed_${table} AS (
      DELETE FROM ${table} USING ${rowsOf(removals, key)}
      WHERE ${keys.map((name) => `${table}.${name} = t.${name}`).join(' AND ')})`);
}

function keepEvents(parts: Parts, { events }: GroupedBatch): void {
  const all = [...events.values()];
  keepDocuments(parts, {
    table: 'events',
    puts: all.filter((event) => event.kind === 'add-event'),
    removals: all.filter((event) => event.kind === 'remove-event'),
    columns: [
      ['seq', 'bigint', ({ seq }) => seq],
      ['attempt', 'int', ({ attempt }) => attempt],
      ['event_seq', 'bigint', ({ eventSeq }) => eventSeq],
      ['at', 'bigint', ({ at }) => at],
      ['type', 'text', ({ type }) => type],
      ['data', 'text', ({ data }) => data],
    ],
    key: [
      ['seq', 'bigint', ({ seq }) => seq],
      ['attempt', 'int', ({ attempt }) => attempt],
      ['event_seq', 'bigint', ({ eventSeq }) => eventSeq],
    ],
  });
}

function keepOthers(parts: Parts, { checkpoints, runners }: GroupedBatch): void {
  const [points, places] = [[...checkpoints.values()], [...runners.values()]];
  keepDocuments(parts, {
    table: 'checkpoints',
    puts: points.filter((point) => point.kind === 'put-checkpoint'),
    removals: points.filter((point) => point.kind === 'remove-checkpoint'),
    columns: [
      ['seq', 'bigint', ({ seq }) => seq],
      ['data', 'text', ({ data }) => data],
    ],
    key: [['seq', 'bigint', ({ seq }) => seq]],
  });
  keepDocuments(parts, {
    table: 'runners',
    puts: places.filter((runner) => runner.kind === 'put-runner'),
    removals: places.filter((runner) => runner.kind === 'remove-runner'),
    columns: [
      ['id', 'text', ({ id }) => id],
      ['record', 'text', ({ record }) => record],
    ],
    key: [['id', 'text', ({ id }) => id]],
  });
}

/** Chains in one order for all, so that of two who append to the same none waits for the other in a circle. */
function appendLinks({ rowsOf, add }: Parts, { links }: GroupedBatch): void {
  if (links.length === 0) return;
  add(`linked AS MATERIALIZED (
    SELECT place, append_link(chain, at, record) AS seq FROM (
      SELECT * FROM ${rowsOf(links, LINKS)} ORDER BY chain, place) AS links_in_order)`);
}

/**
 * One statement for all that a batch does beside its records; undefined where that is nothing. Of a replica it
 * has no row where the replica was given up: as long as it runs, nobody can do that. Nor has it one where its number
 * was used.
 */
export function statementOf(
  grouped: GroupedBatch,
  replica: number | undefined,
  mark?: CommitMark,
): PostgresStatement | undefined {
  const parts: string[] = [];
  const values: PostgresValue[] = mark === undefined ? [] : [mark.batch];
  const building: Parts = {
    replica,
    rowsOf(rows, columns) {
      const { table, values: given } = handOver(rows, columns, values.length);
      values.push(...given);
      return replica === undefined ? table : `me, ${table}`;
    },
    add: (part) => void parts.push(part),
  };
  insertJobs(building, grouped);
  changeJobs(building, grouped);
  append(building, 'attempts', { of: grouped.attempts, as: ATTEMPTS });
  append(building, 'ends', { of: [...grouped.ends.values()].sort(bySeq), as: ENDS });
  keepEvents(building, grouped);
  keepOthers(building, grouped);
  appendLinks(building, grouped);
  if (parts.length === 0) return undefined;
  const text = `WITH ${[...fenceOf(replica, mark), ...parts].join(',\n')}\n${toldOf(grouped, replica)}`;
  return { text, values };
}

/** Holds the replica's row until the statement is through. */
function fenceOf(replica: number | undefined, mark: CommitMark | undefined): string[] {
  if (replica === undefined) return [];
  const row = `SELECT id AS replica FROM replicas WHERE id = ${replica} FOR KEY SHARE`;
  if (mark === undefined) return [`me AS MATERIALIZED (${row})`];
  return [
    `fence AS MATERIALIZED (${row})`,
    `me AS (INSERT INTO commits (replica, batch) SELECT replica, $1::bigint FROM fence
      ON CONFLICT DO NOTHING RETURNING replica)`,
  ];
}

/** A statement that does nothing but ask whether the replica was given up. */
export function fenceAlone(replica: number, mark: CommitMark | undefined): PostgresStatement {
  const text = `WITH ${fenceOf(replica, mark).join(', ')} SELECT 1 AS done FROM me`;
  return { text, values: mark === undefined ? [] : [mark.batch] };
}

/** Rows of jobs by id, and of links by their place among those of the batch. */
function toldOf({ inserts, links }: GroupedBatch, replica: number | undefined): string {
  const told: string[] = [];
  if (inserts.length > 0) told.push('SELECT id, seq, 0 AS place FROM inserted');
  if (links.length > 0) told.push('SELECT NULL AS id, seq, place FROM linked');
  // A row of the replica's own, even where nothing else is told: without it the replica was given up.
  if (replica !== undefined) told.push('SELECT NULL AS id, NULL AS seq, 0 AS place FROM me');
  return told.length === 0 ? 'SELECT 1 AS done' : told.join(' UNION ALL ');
}
