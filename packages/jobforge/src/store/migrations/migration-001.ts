/**
 * A job is written once at submit and once at its end, which has a table of its own: no row is updated and no
 * secondary index is kept on the way of a job that succeeds. The index of ends leaves out the completed ones.
 */
export const MIGRATION_001 = `
CREATE TABLE jobs (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  head TEXT NOT NULL,
  input TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  state TEXT NOT NULL,
  lease TEXT,
  attempt INTEGER NOT NULL DEFAULT 0,
  retries INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER,
  error TEXT,
  cancel TEXT
) STRICT;

CREATE TABLE ends (
  seq INTEGER PRIMARY KEY,
  status TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  event_seq INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER NOT NULL,
  runner_id TEXT,
  runner_version TEXT,
  execution_id TEXT,
  data TEXT,
  error TEXT,
  dropped INTEGER NOT NULL
) STRICT;
CREATE INDEX ends_that_failed ON ends (status, seq) WHERE status <> 'completed';

CREATE TABLE attempts (
  seq INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  event_seq INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  runner_id TEXT NOT NULL,
  execution_id TEXT NOT NULL,
  error TEXT NOT NULL,
  PRIMARY KEY (seq, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  seq INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  event_seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  type TEXT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (seq, attempt, event_seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE runners (
  id TEXT PRIMARY KEY,
  record TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;
