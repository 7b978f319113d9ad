import type { ChainStore } from './chain-store.js';
import type { PostgresDatabase, PostgresQuery } from './postgres-driver.js';
import { toLink } from './stored-rows.js';

const HEAD = 'SELECT seq FROM links WHERE chain = $1 ORDER BY seq DESC LIMIT 1';
const LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' ' || $1, 0))";

/** The last seq of a chain. Waits for those who append to it: what a lock gave is seen by the statement after it. */
async function lastSeqOf(query: PostgresQuery, chain: string): Promise<number> {
  const [, [row]] = await Promise.all([query(LOCK, [chain]), query(HEAD, [chain])]);
  return Number(row?.['seq'] ?? 0);
}

/** The chains of the PostgreSQL store, but for their growth, which is a function of the schema. */
export function postgresChains({ query, transaction }: PostgresDatabase): ChainStore {
  return {
    async listLinks({ chain, order, beyond, limit }) {
      const rows =
        order === 'up'
          ? query('SELECT * FROM links WHERE chain = $1 AND seq > $2 ORDER BY seq LIMIT $3', [
              chain,
              beyond ?? 0,
              limit,
            ])
          : query('SELECT * FROM links WHERE chain = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3', [
              chain,
              beyond ?? Number.MAX_SAFE_INTEGER,
              limit,
            ]);
      return (await rows).map(toLink);
    },
    pruneLinks: ({ chain, before, keep, limit }) =>
      transaction(async (within) => {
        const lastSeq = await lastSeqOf(within, chain);
        const oldest = await within(
          'SELECT seq, at FROM links WHERE chain = $1 AND record IS NOT NULL ORDER BY seq LIMIT $2',
          [chain, limit],
        );
        const going = oldest
          .filter(({ seq, at }) => Number(at) < before || Number(seq) <= lastSeq - keep)
          .map(({ seq }) => Number(seq));
        const last = going.at(-1);
        if (last === undefined) return 0;
        await within('DELETE FROM links WHERE chain = $1 AND seq < $2', [chain, last]);
        await within('UPDATE links SET record = NULL WHERE chain = $1 AND seq = $2', [chain, last]);
        return going.length;
      }),
  };
}
