import { openPostgresStore } from './postgres-store.js';
import { openSqliteStore } from './sqlite-store.js';
import type { Store } from './store.js';

/** Where a store is, and of which kind. */
export type StorePlace =
  /** A file, or `:memory:`. */
  | { readonly kind: 'sqlite'; readonly location: string }
  | { readonly kind: 'postgres'; readonly url: string };

/** Opens the store that a place names. */
export function openStore(place: StorePlace, durability: 'full' | 'normal'): Promise<Store> {
  return place.kind === 'sqlite'
    ? openSqliteStore({ location: place.location, durability })
    : openPostgresStore({ url: place.url, durability });
}
