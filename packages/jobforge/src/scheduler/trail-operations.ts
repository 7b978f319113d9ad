import { AUDIT_CHAIN, listAudit } from '../access/audit.js';
import type { TrailOperations } from '../model/trail-operations.js';
import { verifyChain } from '../store/chain-verification.js';
import type { LiveState } from './live-state.js';
import { reading } from './store-reads.js';
import { queryTruth } from './truth-queries.js';
import { TRUTH_CHAIN } from './truth-record.js';

/** The append-only records of a store, and which there are. */
export const CHAINS: readonly string[] = [TRUTH_CHAIN, AUDIT_CHAIN];

/** What can be asked of the append-only records. */
export function trailOperations({ store, commit }: Pick<LiveState, 'store' | 'commit'>): TrailOperations {
  /** What was done before somebody asks is seen by them. */
  const written = (): Promise<void> =>
    commit.failure() === undefined ? new Promise((resolve) => commit.passed(resolve)) : Promise.resolve();
  return {
    queryTruth: (query) => queryTruth(store, query),
    async listAudit(query) {
      await written();
      return reading(listAudit(store, query));
    },
    verifyChains: async () => {
      const reports = [];
      for (const chain of CHAINS) reports.push(await reading(verifyChain(store, chain)));
      return reports;
    },
  };
}
