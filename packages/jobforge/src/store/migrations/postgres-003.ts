/** Jobs that are nobody's go by rank, as those in memory do: the lower first. */
export const POSTGRES_003 = `
DROP INDEX jobs_unowned;
ALTER TABLE jobs DROP COLUMN priority;
ALTER TABLE jobs ADD COLUMN rank DOUBLE PRECISION;
CREATE INDEX jobs_unowned ON jobs (lane, rank, seq) WHERE owner IS NULL;
`;
