import type { ExecutionEvent } from '@controlplane/contracts';
import { expect, test } from 'vitest';
import { createDeferred } from '../../util/deferred.js';
import type { StateFiles } from '../state-files.js';
import { openOutbox } from './outbox.js';

const end = (executionId: string) => (): ExecutionEvent[] => [
  { type: 'succeeded', executionId, seq: 1, at: '2026-01-01T00:00:00.000Z', executionTimeMs: 1, data: null },
];

/** Files in memory, each written when the test says so. */
function createSlowFiles() {
  const files = new Map<string, string>();
  const writes: Array<() => void> = [];
  let begun = createDeferred<void>();
  const state: StateFiles = {
    read: async (name) => files.get(name),
    async write(name, text) {
      const written = createDeferred<void>();
      writes.push(() => written.resolve());
      begun.resolve();
      begun = createDeferred();
      await written.promise;
      files.set(name, text);
    },
    remove: async (name) => void files.delete(name),
    list: async () => [...files.keys()].map((name) => name.split('/').at(-1) ?? ''),
  };
  return {
    state,
    files,
    nextWrite: () => begun.promise,
    finishWrite: () => writes.shift()?.(),
  };
}

async function openSlowOutbox() {
  const slow = createSlowFiles();
  const outbox = await openOutbox({
    state: slow.state,
    folder: 'outbox',
    instanceId: 'i-1',
    onProblem: (message) => expect.unreachable(message),
  });
  return { ...slow, outbox };
}

test('a file whose ends were all acknowledged goes while the next is being written', async () => {
  const { outbox, files, nextWrite, finishWrite } = await openSlowOutbox();
  let begun = nextWrite();
  outbox.put('e1', undefined, end('e1'));
  await begun;
  outbox.put('e2', undefined, end('e2'));
  begun = nextWrite();
  finishWrite();
  await begun;
  expect([...files.keys()]).toEqual(['outbox/000000000-i-1.json']);
  outbox.remove('e1');
  finishWrite();
  await outbox.flush();
  expect([...files.keys()]).toEqual(['outbox/000000001-i-1.json']);
});

test('an end that is acknowledged while its own file is being written leaves none', async () => {
  const { outbox, files, nextWrite, finishWrite } = await openSlowOutbox();
  const begun = nextWrite();
  outbox.put('e1', undefined, end('e1'));
  await begun;
  outbox.remove('e1');
  finishWrite();
  await outbox.flush();
  expect([...files.keys()]).toEqual([]);
});
