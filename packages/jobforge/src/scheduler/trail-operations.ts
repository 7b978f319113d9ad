import { AUDIT_CHAIN, listAudit } from '../access/audit.js';
import type { TrailOperations } from '../model/trail-operations.js';
import { verifyChain } from '../store/chain-verification.js';
import type { Store } from '../store/store.js';
import { reading } from './store-reads.js';
import { queryTruth } from './truth-queries.js';
import { TRUTH_CHAIN } from './truth-record.js';

/** The append-only records of a store, and which there are. */
export const CHAINS: readonly string[] = [TRUTH_CHAIN, AUDIT_CHAIN];

/** What can be asked of the append-only records. */
export function trailOperations(store: Store): TrailOperations {
  return {
    queryTruth: (query) => queryTruth(store, query),
    listAudit: (query) => reading(listAudit(store, query)),
    verifyChains: async () => {
      const reports = [];
      for (const chain of CHAINS) reports.push(await reading(verifyChain(store, chain)));
      return reports;
    },
  };
}
