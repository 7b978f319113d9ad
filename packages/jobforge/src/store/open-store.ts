import { existsSync } from 'node:fs';
import { openPostgresStore } from './postgres-store.js';
import { openSqliteStore, type SqliteStoreOptions } from './sqlite-store.js';
import type { Store } from './store.js';
import { openThreadedStore } from './threaded-store.js';

/** Where a store is, and of which kind. */
export type StorePlace =
  /** A file, or `:memory:`. */
  | { readonly kind: 'sqlite'; readonly location: string }
  | { readonly kind: 'postgres'; readonly url: string };

/** Beside the built files. Not there where those were bundled into others, nor beside these sources. */
const THREAD = new URL('./store-thread.js', import.meta.url);

/** A file in a thread of its own where that can be, else with the same code on this one. */
function openSqlite(options: SqliteStoreOptions): Promise<Store> {
  const threaded = options.location !== ':memory:' && existsSync(THREAD);
  return threaded ? openThreadedStore(THREAD, options) : openSqliteStore(options);
}

/** Opens the store that a place names. */
export function openStore(place: StorePlace, durability: 'full' | 'normal'): Promise<Store> {
  return place.kind === 'sqlite'
    ? openSqlite({ location: place.location, durability })
    : openPostgresStore({ url: place.url, durability });
}
