import { chainRoot, linkText } from '../model/chain.js';
import type { AppendLink, ChainStore } from './chain-store.js';
import { sha256Hex } from './link-hash.js';
import type { PostgresDatabase, PostgresQuery } from './postgres-driver.js';
import { toLink } from './stored-rows.js';

const HEAD = 'SELECT * FROM links WHERE chain = $1 ORDER BY seq DESC LIMIT 1';
const LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' ' || $1, 0))";

/** Where a chain ends now. */
interface ChainEnd {
  readonly seq: number;
  readonly at: number;
  readonly hash: string;
}

/** Waits for those who append to the same chain. What a lock gave is seen by the statement after it. */
async function endOf(query: PostgresQuery, chain: string): Promise<ChainEnd> {
  const [, [row]] = await Promise.all([query(LOCK, [chain]), query(HEAD, [chain])]);
  return row === undefined ? { seq: 0, at: 0, hash: chainRoot(chain) } : toLink(row);
}

async function appendTo(
  query: PostgresQuery,
  chain: string,
  links: readonly AppendLink[],
): Promise<number[]> {
  let end = await endOf(query, chain);
  const added = links.map(({ at: given, record }) => {
    const [seq, at] = [end.seq + 1, Math.max(given, end.at)];
    end = { seq, at, hash: sha256Hex(linkText(end.hash, { seq, at, record })) };
    return { ...end, record };
  });
  await query(
    `INSERT INTO links (chain, seq, at, record, hash)
     SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[])`,
    [
      chain,
      added.map(({ seq }) => seq),
      added.map(({ at }) => at),
      added.map(({ record }) => record),
      added.map(({ hash }) => hash),
    ],
  );
  return added.map(({ seq }) => seq);
}

/** Appends links within a transaction, chain by chain in one order for all who do. Resolves to their seqs, in order. */
export async function appendLinks(query: PostgresQuery, links: readonly AppendLink[]): Promise<number[]> {
  const seqs = links.map(() => 0);
  for (const chain of [...new Set(links.map((link) => link.chain))].sort()) {
    const places = [...links.keys()].filter((place) => links[place]?.chain === chain);
    const added = await appendTo(
      query,
      chain,
      links.filter((link) => link.chain === chain),
    );
    for (const [index, place] of places.entries()) seqs[place] = added[index] ?? 0;
  }
  return seqs;
}

/** The chains of the PostgreSQL store, but for their growth. */
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
        const { seq: lastSeq } = await endOf(within, chain);
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
