/**
 * Adds a link to a chain within the transaction of whoever calls it. What its statements read is what was committed
 * when its lock was given; a lock taken by the statement that calls it would not do that. So a batch and its link are
 * one statement, whatever other replicas append.
 */
export const POSTGRES_004 = `
CREATE FUNCTION append_link(of_chain TEXT, given_at BIGINT, said TEXT) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
  last links%ROWTYPE;
  next_seq BIGINT;
  next_at BIGINT;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(current_schema() || ' ' || of_chain, 0));
  SELECT * INTO last FROM links WHERE chain = of_chain ORDER BY seq DESC LIMIT 1;
  next_seq := coalesce(last.seq, 0) + 1;
  next_at := greatest(given_at, last.at);
  INSERT INTO links (chain, seq, at, record, hash) VALUES (of_chain, next_seq, next_at, said, encode(sha256(
    convert_to(concat_ws(chr(10), coalesce(last.hash, of_chain), next_seq, next_at, said), 'UTF8')), 'hex'));
  RETURN next_seq;
END $$
`;
