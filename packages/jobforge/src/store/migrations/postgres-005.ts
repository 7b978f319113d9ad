/**
 * The batches that each replica has written lately, by its own numbers: so that one whose answer was lost is not written
 * twice. A number is entered once: by the batch, or by whoever asks first whether that was written.
 */
export const POSTGRES_005 = `
CREATE TABLE commits (
  replica INTEGER NOT NULL,
  batch BIGINT NOT NULL,
  written BOOLEAN NOT NULL DEFAULT true,
  PRIMARY KEY (replica, batch)
);
`;
