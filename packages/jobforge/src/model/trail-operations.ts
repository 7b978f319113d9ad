import type {
  AuditList,
  AuditQuery,
  ChainReport,
  TruthParameters,
  TruthQueryResult,
} from '@controlplane/contracts';

/** What can be asked of the append-only records: of what ran, and of who did what. */
export interface TrailOperations {
  /** Newest first. Refuses with VALIDATION_ERROR where the cursor is none. */
  queryTruth(query: TruthParameters): Promise<TruthQueryResult>;
  /** Newest first. Refuses with VALIDATION_ERROR where the cursor is none. */
  listAudit(query: AuditQuery): Promise<AuditList>;
  /** Reads each record from its first link to its last. */
  verifyChains(): Promise<ChainReport[]>;
}
