import { join } from 'node:path';
import { isPostgresUrl, readPostgresUrl } from '../store/postgres-url.js';
import { misused } from './cli-failure.js';

/** What a command line says about where jobs are kept. */
export interface StoreOptions {
  readonly data: string;
  readonly memory?: boolean;
  readonly store?: string;
}

/** The store as `createJobForge` takes it, and as it may be shown: without the password; null where nothing is kept. */
export function storeOf({ data, memory = false, store }: StoreOptions): {
  store: string;
  shown: string | null;
} {
  if (memory && store !== undefined)
    throw misused('--memory keeps nothing and --store says where to keep it: give one of the two.');
  if (memory) return { store: 'memory', shown: null };
  if (store === undefined) return { store: `sqlite:${join(data, 'jobforge.db')}`, shown: data };
  if (!isPostgresUrl(store)) {
    throw misused(
      '--store takes the URL of a PostgreSQL database: postgres://user:password@host:5432/database. A folder is given with --data.',
    );
  }
  try {
    return { store, shown: readPostgresUrl(store).shown };
  } catch (error) {
    throw misused(error instanceof Error ? error.message : String(error));
  }
}

/** Where jobs are kept, in words. */
export function storeWords(shown: string | null): string {
  if (shown === null) return 'embedded, in memory';
  return isPostgresUrl(shown) ? shown : `embedded, ${shown}`;
}

/** Where a control plane keeps its things. */
export interface Place {
  readonly store: string;
  /** Folder for the keys that are made where none are given; undefined where none are. */
  readonly folder: string | undefined;
  /** Folder of the files that jobs leave; undefined for one beside the store. */
  readonly files: string | undefined;
  /** The store as it may be shown; null where nothing is kept. */
  readonly shown: string | null;
}

/**
 * What a command that serves is told about where things are kept. Replicas over one database have to be given their
 * keys: each would make one of its own.
 */
export function placeOf(options: StoreOptions): Place {
  const { data, memory = false } = options;
  const { store, shown } = storeOf(options);
  const isDatabase = isPostgresUrl(store);
  return {
    ...{ store, shown },
    folder: memory || isDatabase ? undefined : data,
    files: isDatabase ? join(data, 'files') : undefined,
  };
}
