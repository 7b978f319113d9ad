import type { Link } from '../model/chain.js';

/**
 * Adds to the end of a chain: the store gives it the next seq and a hash over the link before, within the same
 * transaction, so that all who write to one store agree on one chain.
 */
export interface AppendLink {
  readonly kind: 'append-link';
  readonly chain: string;
  /** Where the link before is younger, the new one is taken to be as old as that. */
  readonly at: number;
  /** JSON. */
  readonly record: string;
}

export type StoredLink = Link;

export interface LinkQuery {
  readonly chain: string;
  /** `up` from the oldest, `down` from the youngest. */
  readonly order: 'up' | 'down';
  /** Only links beyond this seq, in that order. Default: from the end. */
  readonly beyond?: number;
  readonly limit: number;
}

/** Which links may go: those older than a time, and the oldest beyond a number. */
export interface PruneLinksQuery {
  readonly chain: string;
  readonly before: number;
  readonly keep: number;
  /** At most this many at once. */
  readonly limit: number;
}

/** Append-only lists of which each entry is sealed by the hash of the one before. */
export interface ChainStore {
  listLinks(query: LinkQuery): Promise<readonly StoredLink[]>;
  /**
   * Forgets the oldest links. The youngest of them is kept without its record, as what the rest hangs on. Resolves to
   * how many records went.
   */
  pruneLinks(query: PruneLinksQuery): Promise<number>;
}
