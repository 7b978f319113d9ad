/** Append-only: an audit trail and the record of what ran. A link without a record was forgotten. */
export const MIGRATION_004 = `
CREATE TABLE links (
  chain TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  record TEXT,
  hash TEXT NOT NULL,
  PRIMARY KEY (chain, seq)
) STRICT;
`;
