import type { PostgresQuery } from './postgres-driver.js';
import type { Outcome, ReopenJob } from './store.js';

/** The end of a job becomes that of an attempt: of one that is told already, only its last word is another. */
const REOPEN = `WITH ended AS (
    DELETE FROM ends WHERE seq = $1 AND status <> 'completed' AND error IS NOT NULL RETURNING *
  ), kept AS (
    INSERT INTO attempts (seq, attempt, event_seq, started_at, ended_at, next_at, runner_id, execution_id, error)
    SELECT seq, attempt, event_seq, coalesce(started_at, ended_at), ended_at, $2::bigint,
      CASE WHEN started_at IS NULL THEN '' ELSE coalesce(runner_id, '') END, coalesce(execution_id, ''), error
    FROM ended
    ON CONFLICT (seq, attempt) DO UPDATE SET event_seq = excluded.event_seq, ended_at = excluded.ended_at,
      next_at = excluded.next_at, error = excluded.error
  )
  UPDATE jobs SET state = 'queued', lease = NULL, cancel = NULL, retries = 0, next_at = $2::bigint,
    attempt = ended.attempt, error = ended.error
  FROM ended WHERE jobs.seq = ended.seq RETURNING 1 AS done`;

/** Takes back the end of a job. */
export async function reopenJob(query: PostgresQuery, { seq, at }: ReopenJob): Promise<Outcome> {
  return (await query(REOPEN, [seq, at])).length === 0 ? 'superseded' : 'done';
}
