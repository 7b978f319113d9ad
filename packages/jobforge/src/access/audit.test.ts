import { AuditQuery } from '@controlplane/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { verifyChain } from '../store/chain-verification.js';
import { openSqliteStore } from '../store/sqlite-store.js';
import type { Store, StoreOperation } from '../store/store.js';
import { createManualClock } from '../testing/manual-clock.js';
import { AUDIT_CHAIN, createAudit, listAudit } from './audit.js';

const stores: Store[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});

async function filled(): Promise<Store> {
  const store = await openSqliteStore({ location: ':memory:' });
  stores.push(store);
  const clock = createManualClock(1_000);
  const kept: StoreOperation[] = [];
  const audit = createAudit({ keep: (operation) => void kept.push(operation), clock });
  audit({ actor: 'token:ci', action: 'secret.set', subject: 'secret:A', detail: { scope: 'all' } });
  clock.advance(1_000);
  audit({ actor: 'token:ops', action: 'job.cancel', subject: 'job:1' });
  clock.advance(1_000);
  audit({ actor: 'token:ci', action: 'secret.delete', subject: 'secret:A' });
  await store.commit(kept);
  return store;
}

describe('the audit trail', () => {
  it('lists who did what to whom, newest first', async () => {
    const { entries } = await listAudit(await filled(), AuditQuery.parse({}));
    expect(entries).toMatchObject([
      { seq: 3, at: '1970-01-01T00:00:03.000Z', actor: 'token:ci', action: 'secret.delete' },
      { seq: 2, actor: 'token:ops', action: 'job.cancel', subject: 'job:1' },
      { seq: 1, action: 'secret.set', subject: 'secret:A', detail: { scope: 'all' } },
    ]);
  });

  it.each([
    [{ actor: 'token:ci' }, [3, 1]],
    [{ action: 'job.cancel' }, [2]],
    [{ subject: 'secret:A' }, [3, 1]],
    [{ since: '1970-01-01T00:00:02.000Z' }, [3, 2]],
    [{ until: '1970-01-01T00:00:02.000Z' }, [2, 1]],
    [{ limit: 1 }, [3]],
  ])('is asked by %j', async (query, seqs) => {
    const { entries } = await listAudit(await filled(), AuditQuery.parse(query));
    expect(entries.map(({ seq }) => seq)).toEqual(seqs);
  });

  it('is read a page at a time', async () => {
    const store = await filled();
    const first = await listAudit(store, AuditQuery.parse({ limit: 2 }));
    const second = await listAudit(store, AuditQuery.parse({ limit: 2, cursor: first.nextCursor }));
    expect([...first.entries, ...second.entries].map(({ seq }) => seq)).toEqual([3, 2, 1]);
    expect(second.nextCursor).toBeUndefined();
  });

  it('shows where an entry was changed', async () => {
    const store = await filled();
    expect(await verifyChain(store, AUDIT_CHAIN)).toMatchObject({ ok: true, links: 3 });
    const forged: Store = {
      ...store,
      listLinks: async (query) =>
        (await store.listLinks(query)).map((link) =>
          link.seq === 2 ? { ...link, record: link.record?.replace('ops', 'boss') } : link,
        ),
    };
    expect(await verifyChain(forged, AUDIT_CHAIN)).toMatchObject({ ok: false, brokenAt: 2 });
  });
});
