import type { ChainReport } from '@controlplane/contracts';
import { checkChain } from '../model/chain.js';
import type { ChainStore } from './chain-store.js';
import { sha256Hex } from './link-hash.js';

const LINKS_AT_ONCE = 500;

const breath = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Reads a chain from its first link to its last, a few at a time, and says whether it holds. */
export async function verifyChain(store: ChainStore, chain: string): Promise<ChainReport> {
  const check = checkChain(chain, sha256Hex);
  const report = (): ChainReport => ({
    chain,
    ok: true,
    links: check.links,
    ...(check.first !== undefined && { firstSeq: check.first }),
    ...(check.last !== undefined && { lastSeq: check.last.seq, lastHash: check.last.hash }),
  });
  for (;;) {
    const beyond = check.last?.seq ?? 0;
    const links = await store.listLinks({ chain, order: 'up', beyond, limit: LINKS_AT_ONCE });
    const broken = check.next(links);
    if (broken !== undefined) return { ...report(), ok: false, brokenAt: broken.seq, reason: broken.reason };
    if (links.length < LINKS_AT_ONCE) return report();
    await breath();
  }
}
