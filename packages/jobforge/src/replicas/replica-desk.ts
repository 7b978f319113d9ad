import type { LinkRegistry } from '../links/link-registry.js';
import type { Operations } from '../model/operations.js';
import type { FileDesk } from '../scheduler/file-desk.js';
import type { RecoveryParts } from '../scheduler/recovery.js';
import type { Membership } from './membership.js';
import type { ReplicaCalls } from './replica-calls.js';

/** What is kept in memory and may be changed by another replica. */
export interface KeptRecords {
  /** Reads anew who may do what, the secrets, and who is to be told of ends. */
  reload(): Promise<void>;
  /** Takes up what is still to be told of ends and nobody here knows of. */
  takeUpDeliveries(): Promise<void>;
}

/** What the parts of a replica share. */
export interface ReplicaDesk extends Pick<Membership, 'store' | 'others' | 'homes'> {
  readonly recovery: RecoveryParts;
  readonly links: LinkRegistry;
  readonly calls: ReplicaCalls;
  readonly operations: Operations;
  readonly records: KeptRecords;
  readonly files: Pick<FileDesk, 'artifacts' | 'jobFiles'>;
  /** Seqs of jobs that were let go of, and may not have been handed over, by runner. */
  readonly owed: Map<string, readonly number[]>;
  /** Says that jobs may be this replica's without its knowledge: see orphans. */
  readonly suspect: () => void;
  /** One after the other: whatever changes which jobs this replica has. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
}
