import { CommitInDoubt, partOfDoubt } from './commit-in-doubt.js';
import { withEndRecords } from './end-records.js';
import { groupBatch, untilReopened, type GroupedBatch } from './postgres-batch.js';
import { isOfConnection, type PostgresDatabase, type PostgresQuery } from './postgres-driver.js';
import { asPostgresFailure } from './postgres-failure.js';
import { createCommitMarks, isWritten, readOutcomes, type CommitMark } from './postgres-marks.js';
import { reopenJob } from './postgres-reopen.js';
import { fenceAlone, statementOf, type PostgresStatement } from './postgres-statement.js';
import { ReplicaLost } from './replica-store.js';
import type { Outcome, PutRecord, RemoveRecord, Store, WrittenOperation } from './store.js';
import type { Row } from './stored-rows.js';

/** Refusals of the server that say nothing but "once more": two who waited for each other, or met in one row. */
const PASSING = new Set(['40001', '40P01']);
const MAX_TRIES = 5;

function passes(error: unknown): boolean {
  return error instanceof Error && 'code' in error && PASSING.has(String(error.code));
}

const PUT = `INSERT INTO records VALUES ($1, $2, $3) ON CONFLICT (collection, id) DO UPDATE SET record = excluded.record
  RETURNING 1 AS done`;
const ADD = 'INSERT INTO records VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1 AS done';
const REPLACE =
  'UPDATE records SET record = $3 WHERE collection = $1 AND id = $2 AND record = $4 RETURNING 1 AS done';
const REMOVE = 'DELETE FROM records WHERE collection = $1 AND id = $2';
const REMOVE_TEXT = `${REMOVE} AND record = $3 RETURNING 1 AS done`;

async function writeRecord(query: PostgresQuery, operation: PutRecord | RemoveRecord): Promise<Outcome> {
  const { collection, id } = operation;
  const { replaces } = operation;
  if (operation.kind === 'remove-record') {
    if (typeof replaces === 'string') return changed(await query(REMOVE_TEXT, [collection, id, replaces]));
    await query(REMOVE, [collection, id]);
    return 'done';
  }
  const { record } = operation;
  if (replaces === undefined) await query(PUT, [collection, id, record]);
  else if (replaces === null) return changed(await query(ADD, [collection, id, record]));
  else return changed(await query(REPLACE, [collection, id, record, replaces]));
  return 'done';
}

const changed = (rows: readonly Row[]): Outcome => (rows.length === 0 ? 'superseded' : 'done');

/** The records of a batch, one after the other: what becomes of each depends on those before. */
async function writeRecords(
  query: PostgresQuery,
  { records }: GroupedBatch,
): Promise<(readonly [at: number, outcome: Outcome])[]> {
  const outcomes = [];
  for (const { at, operation } of records) outcomes.push([at, await writeRecord(query, operation)] as const);
  return outcomes;
}

/** Of two insertions with one id in a batch the first has it. */
function outcomesOf(
  batch: readonly WrittenOperation[],
  { links }: GroupedBatch,
  rows: readonly Row[],
): Outcome[] {
  const seqs = new Map(rows.map(({ id, seq }) => [id, Number(seq)]));
  const outcomes = batch.map((operation): Outcome => {
    if (operation.kind !== 'insert-job') return 'done';
    const seq = seqs.get(operation.id);
    seqs.delete(operation.id);
    return seq === undefined ? 'exists' : { seq };
  });
  for (const { place, seq } of rows) {
    const link = links[Number(place) - 1];
    if (link !== undefined) outcomes[link.at] = { seq: Number(seq) };
  }
  return outcomes;
}

/** How a batch is written: as whom, and under which number. */
interface Writing {
  readonly replica: number | undefined;
  readonly mark: CommitMark | undefined;
}

async function run(
  within: PostgresQuery,
  statement: PostgresStatement | undefined,
  { replica, mark }: Writing,
): Promise<Row[]> {
  const asked = statement ?? (replica === undefined ? undefined : fenceAlone(replica, mark));
  if (asked === undefined) return [];
  const rows = await within(asked.text, asked.values);
  if (replica !== undefined && rows.length === 0) throw new ReplicaLost();
  return rows;
}

/** What is not one statement, within a transaction. */
async function writeAll(
  within: PostgresQuery,
  batch: readonly WrittenOperation[],
  writing: Writing,
): Promise<Outcome[]> {
  const { replica, mark } = writing;
  const grouped = groupBatch(batch);
  const rows = await run(within, statementOf(grouped, replica, mark), writing);
  const outcomes = outcomesOf(batch, grouped, rows);
  for (const [at, outcome] of await writeRecords(within, grouped)) outcomes[at] = outcome;
  for (const { at, operation } of grouped.reopened)
    outcomes[at] = await reopenJob(within, operation, replica);
  return outcomes;
}

/** Writes a batch; `known` is called with its outcomes before a transaction of several statements is committed. */
async function write(
  { queryInOrder, transaction }: PostgresDatabase,
  { batch, ...writing }: Writing & { readonly batch: readonly WrittenOperation[] },
  known: (outcomes: readonly Outcome[]) => void,
): Promise<readonly Outcome[]> {
  const { replica, mark } = writing;
  const grouped = groupBatch(batch);
  if (grouped.records.length + grouped.reopened.length === 0)
    return outcomesOf(batch, grouped, await run(queryInOrder, statementOf(grouped, replica, mark), writing));
  return transaction(async (within) => {
    const outcomes: Outcome[] = [];
    for (const [index, part] of untilReopened(batch).entries())
      outcomes.push(...(await writeAll(within, part, { replica, mark: index === 0 ? mark : undefined })));
    known(outcomes);
    return outcomes;
  });
}

async function tryToWrite(
  database: PostgresDatabase,
  batch: readonly WrittenOperation[],
  writing: Writing,
): Promise<readonly Outcome[]> {
  const { mark } = writing;
  let known: readonly Outcome[] | undefined;
  for (let tries = 1; ; tries += 1) {
    try {
      return await write(database, { ...writing, batch }, (outcomes) => (known = outcomes));
    } catch (error) {
      if (mark !== undefined && isOfConnection(error))
        throw new CommitInDoubt(error, async () => {
          if (!(await isWritten(database.query, mark))) return undefined;
          return known ?? readOutcomes(database.query, batch, mark.replica);
        });
      if (tries >= MAX_TRIES || !passes(error)) throw asPostgresFailure(error);
    }
  }
}

/**
 * The writing half of the PostgreSQL store: a batch is one statement, and a transaction where that cannot be. Rejects
 * with `CommitInDoubt` where the connection was lost before the answer came.
 */
export function postgresCommit(
  database: PostgresDatabase,
  replicaOf: () => number | undefined,
): Store['commit'] {
  const marks = createCommitMarks(database.query);
  return async (asked) => {
    const batch = withEndRecords(asked);
    const replica = replicaOf();
    const mark = replica === undefined ? undefined : marks.next(replica);
    const over = <T>(told: T): T => {
      if (mark !== undefined) marks.done(mark);
      return told;
    };
    try {
      return over(await tryToWrite(database, batch, { replica, mark }));
    } catch (error) {
      // One that is in doubt is asked about by its number.
      throw error instanceof CommitInDoubt ? partOfDoubt(error, over) : over(error);
    }
  };
}
