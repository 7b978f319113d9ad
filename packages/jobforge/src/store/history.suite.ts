import { expect, it } from 'vitest';
import { inserted } from './sample-operations.fixture.js';
import type { Store } from './store.js';

/** How every store keeps what happens to a job meanwhile: a part of the store suite. */
export function historySuite(opened: () => Promise<Store>): void {
  it('remembers attempts and events in order', async () => {
    const store = await opened();
    const [seq = 0] = await inserted(store, ['a']);
    const event = {
      kind: 'add-event',
      seq,
      attempt: 1,
      at: 1_600,
      type: 'log',
      data: '{"message":"m"}',
    } as const;
    await store.commit([
      { ...event, eventSeq: 2 },
      { ...event, eventSeq: 1, type: 'progress' },
      { ...event, eventSeq: 4, type: 'notification' },
      { ...event, eventSeq: 2, data: '{"twice":1}' },
    ]);
    const retry = {
      kind: 'retry-job',
      seq,
      attempt: 1,
      retries: 1,
      eventSeq: 3,
      startedAt: 1_500,
      endedAt: 1_700,
      nextAt: 9_000,
      runnerId: 'r1',
      executionId: 'x1',
      error: '{"code":"X"}',
    } as const;
    await store.commit([retry]);
    expect(await store.loadJob('a')).toMatchObject({
      state: 'retrying',
      attempt: 1,
      retries: 1,
      nextAt: 9_000,
      error: '{"code":"X"}',
      lease: undefined,
    });
    const history = await store.loadHistory(seq);
    expect(history.events.map(({ eventSeq, type, data }) => [eventSeq, type, data])).toEqual([
      [1, 'progress', '{"message":"m"}'],
      [2, 'log', '{"twice":1}'],
      [4, 'notification', '{"message":"m"}'],
    ]);
    expect(await store.loadNotifications(seq)).toEqual([history.events[2]]);
    expect(history.attempts).toMatchObject([
      { attempt: 1, eventSeq: 3, runnerId: 'r1', executionId: 'x1', nextAt: 9_000 },
    ]);
  });

  it('replaces and takes back events, and keeps the last checkpoint of a job', async () => {
    const store = await opened();
    const [seq = 0] = await inserted(store, ['a']);
    const event = { kind: 'add-event', seq, attempt: 1, at: 1, type: 'log' } as const;
    await store.commit([
      { ...event, eventSeq: 1, data: '1' },
      { ...event, eventSeq: 2, data: '2' },
      { ...event, eventSeq: 1, data: '"again"' },
      { kind: 'remove-event', seq, attempt: 1, eventSeq: 2 },
      { kind: 'remove-event', seq, attempt: 1, eventSeq: 3 },
    ]);
    expect((await store.loadHistory(seq)).events.map(({ data }) => data)).toEqual(['"again"']);
    expect(await store.loadCheckpoint(seq)).toBeUndefined();
    await store.commit([{ kind: 'put-checkpoint', seq, data: '{"at":1}' }]);
    await store.commit([{ kind: 'put-checkpoint', seq, data: '{"at":2}' }]);
    expect(await store.loadCheckpoint(seq)).toBe('{"at":2}');
    await store.commit([{ kind: 'remove-checkpoint', seq }]);
    expect(await store.loadCheckpoint(seq)).toBeUndefined();
  });
}
