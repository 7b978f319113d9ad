/** What is small and changes seldom, one document an entry: tokens, secrets, webhooks. */
export const MIGRATION_003 = `
CREATE TABLE records (
  collection TEXT NOT NULL,
  id TEXT NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (collection, id)
) STRICT, WITHOUT ROWID;
`;
