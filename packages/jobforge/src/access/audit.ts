/**
 * @module
 * access/ decides who may do what, keeps what is secret, and records who did what. It imports contracts, model/ and
 * store/; never links, scheduler or api.
 */
import type { AuditEntry, AuditList, AuditQuery, JsonObject } from '@controlplane/contracts';
import type { Clock } from '../model/clock.js';
import type { StoredLink } from '../store/chain-store.js';
import { readChain } from '../store/chain-pages.js';
import type { Store, StoreOperation } from '../store/store.js';

/** The append-only record of who did what. */
export const AUDIT_CHAIN = 'audit';

/** One thing that was done. */
export interface Deed {
  /** Milliseconds since 1970. Default: now. */
  readonly at?: number;
  /** Who asked for it, such as `token:ci`; `jobforge` where nobody did. */
  readonly actor: string;
  /** What was done, such as `secret.set`. */
  readonly action: string;
  /** What it was done to, such as `secret:API_KEY`. */
  readonly subject: string;
  /** Never anything secret. */
  readonly detail?: JsonObject;
}

/** Records a deed. It is on disk with the next commit; who did it is not kept waiting. */
export type Audit = (deed: Deed) => void;

export interface AuditParts {
  /** Stores an operation, again and again while the store cannot write. */
  readonly keep: (operation: StoreOperation) => void;
  readonly clock: Clock;
}

export function createAudit({ keep, clock }: AuditParts): Audit {
  return ({ at = clock.now(), actor, action, subject, detail }) =>
    keep({
      kind: 'append-link',
      chain: AUDIT_CHAIN,
      at,
      record: JSON.stringify({ actor, action, subject, detail }),
    });
}

function toEntry({ seq, at, record, hash }: StoredLink): AuditEntry {
  const deed = JSON.parse(record ?? '{}') as Pick<AuditEntry, 'actor' | 'action' | 'subject' | 'detail'>;
  return { seq, at: new Date(at).toISOString(), ...deed, hash };
}

const timeOf = (timestamp: string | undefined): number | undefined =>
  timestamp === undefined ? undefined : Date.parse(timestamp);

/** One page of the audit trail, newest first. */
export async function listAudit(store: Store, query: AuditQuery): Promise<AuditList> {
  const { actor, action, subject, limit, cursor } = query;
  const { entries, next } = await readChain(store, {
    chain: AUDIT_CHAIN,
    limit,
    cursor,
    since: timeOf(query.since),
    until: timeOf(query.until),
    read: (link) => [toEntry(link)],
    matches: (entry) =>
      (actor === undefined || entry.actor === actor) &&
      (action === undefined || entry.action === action) &&
      (subject === undefined || entry.subject === subject),
  });
  return { entries: [...entries], ...(next !== undefined && { nextCursor: next }) };
}
