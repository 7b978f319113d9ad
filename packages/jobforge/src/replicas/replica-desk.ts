import type { LinkRegistry } from '../links/link-registry.js';
import type { Operations } from '../model/operations.js';
import type { RecoveryParts } from '../scheduler/recovery.js';
import type { Membership } from './membership.js';
import type { ReplicaCalls } from './replica-calls.js';

/** What the parts of a replica share. */
export interface ReplicaDesk extends Pick<Membership, 'store' | 'others'> {
  readonly recovery: RecoveryParts;
  readonly links: LinkRegistry;
  readonly calls: ReplicaCalls;
  readonly operations: Operations;
  /** One after the other: whatever changes which jobs this replica has. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
}
