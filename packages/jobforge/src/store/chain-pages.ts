import { JobForgeError } from '../model/job-forge-error.js';
import type { ChainStore, StoredLink } from './chain-store.js';

/** What is wanted of a chain, newest first. */
export interface ChainQuery<Entry> {
  readonly chain: string;
  readonly limit: number;
  readonly cursor: string | undefined;
  /** Milliseconds since 1970: links that are older are not looked at. */
  readonly since: number | undefined;
  /** Links that are younger are not looked at. */
  readonly until: number | undefined;
  /** What a link says, oldest first. */
  readonly read: (link: StoredLink) => readonly Entry[];
  readonly matches: (entry: Entry) => boolean;
}

export interface ChainPage<Entry> {
  readonly entries: readonly Entry[];
  /** Where the next page begins; undefined at the end. */
  readonly next: string | undefined;
}

/** Entries that one page looks at before it ends short: some 50 ms. */
const MAX_EXAMINED = 50_000;
const LINKS_AT_ONCE = 100;
const LAST_SEQ = Number.MAX_SAFE_INTEGER - 1;

/** A place between two entries: what is before entry `index` of link `seq` comes next. */
interface Place {
  readonly seq: number;
  readonly index: number;
}

function placeOf(cursor: string): Place {
  const [seq, index] = cursor.split('.').map(Number);
  if (Number.isSafeInteger(seq) && Number.isSafeInteger(index)) return { seq: seq ?? 0, index: index ?? 0 };
  throw new JobForgeError('VALIDATION_ERROR', {
    message: `"${cursor}" is no cursor.`,
    details: [{ path: ['cursor'], message: 'expected the nextCursor of an earlier page' }],
  });
}

/** The seq of the first link that is younger than a time; links never get older along a chain. */
async function firstAfter(store: ChainStore, chain: string, time: number): Promise<number> {
  const [oldest] = await store.listLinks({ chain, order: 'up', limit: 1 });
  const [youngest] = await store.listLinks({ chain, order: 'down', limit: 1 });
  let low = oldest?.seq ?? 1;
  let high = (youngest?.seq ?? 0) + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [link] = await store.listLinks({ chain, order: 'up', beyond: middle - 1, limit: 1 });
    if (link === undefined || link.at > time) high = middle;
    else low = middle + 1;
  }
  return low;
}

async function startOf(
  store: ChainStore,
  { chain, cursor, until }: Pick<ChainQuery<unknown>, 'chain' | 'cursor' | 'until'>,
): Promise<Place> {
  if (cursor !== undefined) return placeOf(cursor);
  const seq = until === undefined ? LAST_SEQ : await firstAfter(store, chain, until);
  return { seq, index: 0 };
}

/** Reads one page of a chain, backwards from its end or from where the page before ended. */
export async function readChain<Entry>(
  store: ChainStore,
  query: ChainQuery<Entry>,
): Promise<ChainPage<Entry>> {
  const { chain, limit, since = -Infinity, read, matches } = query;
  let place = await startOf(store, query);
  const entries: Entry[] = [];
  for (let examined = 0; examined < MAX_EXAMINED;) {
    const links = await store.listLinks({
      chain,
      order: 'down',
      beyond: place.seq + 1,
      limit: LINKS_AT_ONCE,
    });
    for (const link of links) {
      if (link.record === undefined || link.at < since) return { entries, next: undefined };
      const said = read(link);
      const from = link.seq === place.seq ? Math.min(place.index, said.length) : said.length;
      for (let index = from - 1; index >= 0; index -= 1) {
        const entry = said[index];
        if (entry === undefined || !matches(entry)) continue;
        if (entries.length === limit) return { entries, next: `${link.seq}.${index + 1}` };
        entries.push(entry);
      }
      examined += said.length;
      place = { seq: link.seq, index: 0 };
    }
    if (links.length < LINKS_AT_ONCE) return { entries, next: undefined };
  }
  return { entries, next: `${place.seq}.0` };
}
