import { expect, test } from 'vitest';
import { z } from 'zod';
import { createDeferred } from '../util/deferred.js';
import { openOutbox } from './outbox.js';
import type { StateFiles } from './state-files.js';

const Entry = z.object({ executionId: z.string(), word: z.string() });
const saying = (executionId: string, word: string) => () => ({ executionId, word });

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
    schema: Entry,
    instanceId: 'i-1',
    onProblem: (message) => expect.unreachable(message),
  });
  return { ...slow, outbox };
}

test('a file whose ends were all acknowledged goes while the next is being written', async () => {
  const { outbox, files, nextWrite, finishWrite } = await openSlowOutbox();
  let begun = nextWrite();
  outbox.put('e1', saying('e1', 'end'));
  await begun;
  outbox.put('e2', saying('e2', 'end'));
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
  outbox.put('e1', saying('e1', 'end'));
  await begun;
  outbox.remove('e1');
  finishWrite();
  await outbox.flush();
  expect([...files.keys()]).toEqual([]);
});

test('what is put in the place of another is there before that goes, and alone after it', async () => {
  const { outbox, files, nextWrite, finishWrite } = await openSlowOutbox();
  let begun = nextWrite();
  outbox.put('e1', saying('e1', 'lost'));
  await begun;
  finishWrite();
  await outbox.flush();
  begun = nextWrite();
  outbox.put('e1', saying('e1', 'done'));
  await begun;
  expect([...files.values()].join('')).toContain('lost');
  finishWrite();
  await outbox.flush();
  expect([...files.values()]).toEqual([JSON.stringify([{ executionId: 'e1', word: 'done' }])]);
  outbox.remove('e1');
  await outbox.flush();
  expect([...files.keys()]).toEqual([]);
});

test('what is removed while it is being replaced is gone', async () => {
  const { outbox, files, nextWrite, finishWrite } = await openSlowOutbox();
  let begun = nextWrite();
  outbox.put('e1', saying('e1', 'lost'));
  await begun;
  finishWrite();
  await outbox.flush();
  begun = nextWrite();
  outbox.put('e1', saying('e1', 'done'));
  await begun;
  outbox.remove('e1');
  finishWrite();
  await outbox.flush();
  expect([...files.keys()]).toEqual([]);
});
