/** Checkpoints are few and may be large: apart from the jobs, so that writing one rewrites nothing else. */
export const MIGRATION_002 = `
ALTER TABLE ends ADD COLUMN dropped_bytes INTEGER NOT NULL DEFAULT 0;
CREATE TABLE checkpoints (
  seq INTEGER PRIMARY KEY,
  data TEXT NOT NULL
) STRICT;
`;
