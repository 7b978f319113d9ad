import type { PostgresQuery } from './postgres-driver.js';
import type { Outcome, ReopenJob } from './store.js';

const KEEP_END = `
  INSERT INTO attempts (seq, attempt, event_seq, started_at, ended_at, next_at, runner_id, execution_id, error)
  SELECT seq, attempt, event_seq, coalesce(started_at, ended_at), ended_at, $2,
    CASE WHEN started_at IS NULL THEN '' ELSE coalesce(runner_id, '') END, coalesce(execution_id, ''), error
  FROM ends WHERE seq = $1 AND status <> 'completed' AND error IS NOT NULL
  ON CONFLICT (seq, attempt) DO UPDATE SET event_seq = excluded.event_seq, ended_at = excluded.ended_at,
    next_at = excluded.next_at, error = excluded.error
  RETURNING seq`;
const REQUEUE = `
  UPDATE jobs SET state = 'queued', lease = NULL, cancel = NULL, retries = 0, next_at = $2, attempt = ends.attempt,
    error = ends.error, owner = $3
  FROM ends WHERE jobs.seq = $1 AND ends.seq = $1`;
const REMOVE_END = 'DELETE FROM ends WHERE seq = $1';
const LOWER_FLOOR = 'UPDATE replicas SET floor = least(floor, $1) WHERE id = $2';
/** Of two who reopen a job at once the second is to see what the first did. */
const LOCK = 'SELECT 1 AS done FROM jobs WHERE seq = $1 FOR UPDATE';

/** Carries out one {@link ReopenJob} within a transaction. The job belongs to the replica that reopened it. */
export async function reopenJob(
  query: PostgresQuery,
  { seq, at }: ReopenJob,
  replica: number | undefined,
): Promise<Outcome> {
  await query(LOCK, [seq]);
  const kept = await query(KEEP_END, [seq, at]);
  if (kept.length === 0) return 'superseded';
  await query(REQUEUE, [seq, at, replica ?? null]);
  await query(REMOVE_END, [seq]);
  if (replica !== undefined) await query(LOWER_FLOOR, [seq, replica]);
  return 'done';
}
