import type { PostgresDatabase, PostgresQuery } from './postgres-driver.js';
import {
  channelOf,
  messageFor,
  openListener,
  presenceOf,
  WORK,
  type PostgresListener,
} from './postgres-listener.js';
import type { PostgresAddress } from './postgres-url.js';
import type { ReplicaListener, ReplicaStore } from './replica-store.js';
import type { StoredJob } from './store.js';
import { JOINED, text, toJob, type Row } from './stored-rows.js';

export interface ReplicaParts {
  readonly database: PostgresDatabase;
  readonly address: PostgresAddress;
}

/** Lanes that one look sees. */
const MAX_LANES = 1_000;
/** Jobs of one replica that are found again after a connection was lost in the middle of a commit. */
const MAX_OWN = 10_000;

const NEVER_ENDED = 'NULL AS e_status';
const ME = 'me AS MATERIALIZED (SELECT id FROM replicas WHERE id = $1 FOR KEY SHARE)';
const NOT_ENDED = 'NOT EXISTS (SELECT 1 FROM ends WHERE ends.seq = jobs.seq)';
const FLOORED =
  'floored AS (UPDATE replicas SET floor = least(floor, (SELECT min(seq) FROM taken)) WHERE id = $1 AND EXISTS (SELECT 1 FROM taken))';

/** Takes jobs that a condition picks. */
const taking = (picked: string): string => `
  WITH ${ME}, picked AS (SELECT seq FROM jobs WHERE owner IS NULL AND ${picked} FOR UPDATE SKIP LOCKED),
  taken AS (UPDATE jobs SET owner = me.id FROM picked, me WHERE jobs.seq = picked.seq RETURNING jobs.*),
  ${FLOORED}
  SELECT *, ${NEVER_ENDED} FROM taken ORDER BY rank, seq`;

/** To one that is lost meanwhile is to nobody. */
const RELEASE = `
  WITH receiver AS MATERIALIZED (SELECT id FROM replicas WHERE id = $2::int FOR KEY SHARE),
  floored AS (
    UPDATE replicas SET floor = least(floor, (SELECT min(seq) FROM unnest($3::bigint[]) AS given(seq)))
    FROM receiver WHERE replicas.id = receiver.id
  )
  UPDATE jobs SET owner = (SELECT id FROM receiver) WHERE seq = ANY($3::bigint[]) AND owner = $1`;

/** Walks from lane to lane: what is in between is not read. */
const LANES = `
  WITH RECURSIVE lanes AS (
    (SELECT lane FROM jobs WHERE owner IS NULL ORDER BY lane LIMIT 1)
    UNION ALL
    SELECT (SELECT lane FROM jobs WHERE owner IS NULL AND lane > lanes.lane ORDER BY lane LIMIT 1)
    FROM lanes WHERE lanes.lane IS NOT NULL
  )
  SELECT first.*, ${NEVER_ENDED} FROM lanes CROSS JOIN LATERAL (
    SELECT * FROM jobs WHERE owner IS NULL AND jobs.lane = lanes.lane ORDER BY rank, seq LIMIT 1
  ) AS first LIMIT ${MAX_LANES}`;

const LOST = `
  SELECT id FROM replicas WHERE id <> $1 AND (
    beat_at < now() - $2::int * interval '1 millisecond'
    OR beat_at < now() - $3::int * interval '1 millisecond'
      AND NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = $4 || id)
      AND EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = $4 || $1)
  )`;

const jobsOf = (rows: readonly Row[]): StoredJob[] => rows.map(toJob);

/** The rows are looked at after the lock was had: what the lost one wrote last is among them. */
async function takeOver(query: PostgresQuery, me: number, lost: number): Promise<StoredJob[]> {
  const [gone] = await query('DELETE FROM replicas WHERE id = $1 RETURNING floor', [lost]);
  if (gone === undefined) return [];
  await query('DELETE FROM messages WHERE receiver = $1', [lost]);
  await query('DELETE FROM commits WHERE replica = $1', [lost]);
  const rows = await query(
    `WITH ${ME}, taken AS (
       UPDATE jobs SET owner = CASE WHEN lease IS NULL AND cancel IS NULL THEN NULL ELSE me.id END
       FROM me WHERE jobs.owner = $2 AND jobs.seq >= $3 AND ${NOT_ENDED} RETURNING jobs.*
     ), ${FLOORED} SELECT *, ${NEVER_ENDED} FROM taken WHERE owner = $1 ORDER BY seq`,
    [me, lost, Number(gone['floor'])],
  );
  return jobsOf(rows);
}

type Claims = Pick<
  ReplicaStore,
  'unownedLanes' | 'claim' | 'claimExpired' | 'claimJob' | 'release' | 'ownerOf'
>;

function claimsOf(query: PostgresQuery, me: number): Claims {
  const take = async (picked: string, values: readonly (string | number)[]): Promise<StoredJob[]> =>
    jobsOf(await query(taking(picked), [me, ...values]));
  return {
    unownedLanes: async () => (await query(LANES)).map((row) => ({ ...toJob(row), lane: text(row, 'lane') })),
    claim: (lane, limit) => take('lane = $2 ORDER BY rank, seq LIMIT $3', [lane, limit]),
    claimExpired: (now, limit) => take('expires_at <= $2 LIMIT $3', [now, limit]),
    claimJob: async (id) => (await take('id = $2', [id]))[0],
    async release(seqs, to) {
      await query(RELEASE, [me, to ?? null, seqs]);
    },
    async ownerOf(id) {
      const [row] = await query(`SELECT owner FROM jobs WHERE id = $1 AND ${NOT_ENDED}`, [id]);
      return row === undefined || row['owner'] === null ? undefined : Number(row['owner']);
    },
  };
}

type Mail = Pick<ReplicaStore, 'send' | 'receive' | 'announceWork'>;

function mailOf({ database: { query }, address }: ReplicaParts, me: number): Mail {
  const channel = channelOf(address);
  const notify = async (payload: string): Promise<void> => {
    await query('SELECT pg_notify($1, $2)', [channel, payload]);
  };
  return {
    async send(to, message) {
      await query('INSERT INTO messages (receiver, body) VALUES ($1, $2)', [to, message]);
      await notify(messageFor(to));
    },
    async receive() {
      const rows = await query('DELETE FROM messages WHERE receiver = $1 RETURNING seq, body', [me]);
      return rows
        .sort((one, other) => Number(one['seq']) - Number(other['seq']))
        .map((row) => text(row, 'body'));
    },
    announceWork: () => notify(WORK),
  };
}

type Presence = Pick<ReplicaStore, 'beat' | 'others' | 'lost' | 'takeOver' | 'listen' | 'leave'>;

function presenceAmong({ database, address }: ReplicaParts, me: number): Presence {
  const { query, transaction } = database;
  const prefix = presenceOf(address, me).slice(0, -String(me).length);
  let opening: Promise<PostgresListener> | undefined;
  return {
    async beat({ floor, runners }) {
      const rows = await query(
        `UPDATE replicas SET beat_at = now(), floor = coalesce($2, floor), runners = coalesce($3, runners)
         WHERE id = $1 RETURNING id`,
        [me, floor ?? null, runners ?? null],
      );
      return rows.length > 0;
    },
    async others() {
      const rows = await query('SELECT id, runners FROM replicas WHERE id <> $1 ORDER BY id', [me]);
      return rows.map((row) => ({ id: Number(row['id']), runners: text(row, 'runners') }));
    },
    async lost({ lostMs, absentMs }) {
      const rows = await query(LOST, [me, lostMs, absentMs, prefix]);
      return rows.map(({ id }) => Number(id));
    },
    takeOver: (lost) => transaction((within) => takeOver(within, me, lost)),
    listen(listener: ReplicaListener) {
      opening ??= openListener({ address, replica: me, listener });
    },
    async leave() {
      await (await opening)?.close();
      await query("UPDATE replicas SET beat_at = '-infinity' WHERE id = $1", [me]);
      await query('SELECT pg_notify($1, $2)', [channelOf(address), WORK]);
    },
  };
}

/** Enters a new replica among those of a schema. */
export async function joinReplicas(parts: ReplicaParts): Promise<ReplicaStore> {
  const { query } = parts.database;
  const [row] = await query('INSERT INTO replicas DEFAULT VALUES RETURNING id');
  const me = Number(row?.['id']);
  return {
    id: me,
    ...presenceAmong(parts, me),
    ...claimsOf(query, me),
    ...mailOf(parts, me),
    async ownJobs() {
      const statement = `SELECT *, ${NEVER_ENDED} FROM jobs WHERE owner = $1
        AND seq >= (SELECT floor FROM replicas WHERE id = $1) AND ${NOT_ENDED} ORDER BY seq LIMIT ${MAX_OWN}`;
      return jobsOf(await query(statement, [me]));
    },
    async unfinished({ before, limit }) {
      const statement = `${JOINED} WHERE j.seq < $1 AND e.seq IS NULL
        AND (j.owner IS NULL OR j.seq >= (SELECT min(floor) FROM replicas)) ORDER BY j.seq DESC LIMIT $2`;
      return jobsOf(await query(statement, [before ?? Number.MAX_SAFE_INTEGER, limit]));
    },
  };
}
