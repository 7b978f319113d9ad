import { chainRoot, linkText } from '../model/chain.js';
import type { AppendLink, ChainStore, PruneLinksQuery } from './chain-store.js';
import { sha256Hex } from './link-hash.js';
import type { SqliteDatabase } from './sqlite-driver.js';
import { toLink } from './stored-rows.js';

/** Carries out one {@link AppendLink} within the transaction that is open. */
export function sqliteLinkWriter(database: SqliteDatabase): (link: AppendLink) => { readonly seq: number } {
  const head = database.prepare('SELECT * FROM links WHERE chain = ? ORDER BY seq DESC LIMIT 1');
  const insert = database.prepare('INSERT INTO links (chain, seq, at, record, hash) VALUES (?, ?, ?, ?, ?)');
  return ({ chain, record, at: given }) => {
    const row = head.get(chain);
    const last = row && toLink(row);
    const seq = (last?.seq ?? 0) + 1;
    const at = Math.max(given, last?.at ?? 0);
    const hash = sha256Hex(linkText(last?.hash ?? chainRoot(chain), { seq, at, record }));
    insert.run(chain, seq, at, record, hash);
    return { seq };
  };
}

function pruneLinks(database: SqliteDatabase): ChainStore['pruneLinks'] {
  const head = database.prepare('SELECT seq FROM links WHERE chain = ? ORDER BY seq DESC LIMIT 1');
  const oldest = database.prepare(
    'SELECT seq, at FROM links WHERE chain = ? AND record IS NOT NULL ORDER BY seq LIMIT ?',
  );
  const remove = database.prepare('DELETE FROM links WHERE chain = ? AND seq < ?');
  const empty = database.prepare('UPDATE links SET record = NULL WHERE chain = ? AND seq = ?');
  const [begin, end, undo] = ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK'].map((sql) => database.prepare(sql));

  const goingOf = ({ chain, before, keep, limit }: PruneLinksQuery): number[] => {
    const lastSeq = Number(head.get(chain)?.['seq'] ?? 0);
    return oldest
      .all(chain, limit)
      .filter(({ seq, at }) => Number(at) < before || Number(seq) <= lastSeq - keep)
      .map(({ seq }) => Number(seq));
  };

  return async (query) => {
    const going = goingOf(query);
    const last = going.at(-1);
    if (last === undefined) return 0;
    begin?.run();
    try {
      remove.run(query.chain, last);
      empty.run(query.chain, last);
      end?.run();
    } catch (error) {
      undo?.run();
      throw error;
    }
    return going.length;
  };
}

/** The chains of the SQLite store, but for their growth. */
export function sqliteChains(database: SqliteDatabase): ChainStore {
  const up = database.prepare('SELECT * FROM links WHERE chain = ? AND seq > ? ORDER BY seq LIMIT ?');
  const down = database.prepare('SELECT * FROM links WHERE chain = ? AND seq < ? ORDER BY seq DESC LIMIT ?');
  return {
    listLinks: async ({ chain, order, beyond, limit }) => {
      const rows =
        order === 'up'
          ? up.all(chain, beyond ?? 0, limit)
          : down.all(chain, beyond ?? Number.MAX_SAFE_INTEGER, limit);
      return rows.map(toLink);
    },
    pruneLinks: pruneLinks(database),
  };
}
