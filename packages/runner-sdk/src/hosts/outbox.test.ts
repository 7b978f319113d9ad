import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { createDeferred } from '../util/deferred.js';
import { openOutbox } from './outbox.js';
import type { StateFiles } from './state-files.js';

const Entry = z.object({ executionId: z.string(), word: z.string() });
const saying = (executionId: string, word: string) => () => ({ executionId, word });

/** Files in memory, each written when the test says so. */
function createSlowFiles() {
  const files = new Map<string, string>();
  const writes: Array<(error?: Error) => void> = [];
  let begun = createDeferred<void>();
  const hold = { removals: Promise.resolve() };
  const state: StateFiles = {
    read: async (name) => files.get(name),
    async write(name, text) {
      const written = createDeferred<void>();
      writes.push((error) => (error ? written.reject(error) : written.resolve()));
      begun.resolve();
      begun = createDeferred();
      await written.promise;
      files.set(name, text);
    },
    async remove(name) {
      await hold.removals;
      files.delete(name);
    },
    list: async () => [...files.keys()].map((name) => name.split('/').at(-1) ?? ''),
  };
  return {
    state,
    files,
    hold,
    nextWrite: () => begun.promise,
    finishWrite: (error?: Error) => writes.shift()?.(error),
  };
}

async function openSlowOutbox() {
  const slow = createSlowFiles();
  const problems: string[] = [];
  const outbox = await openOutbox({
    state: slow.state,
    folder: 'outbox',
    schema: Entry,
    instanceId: 'i-1',
    onProblem: (message) => void problems.push(message),
  });
  onTestFinished(() => expect(problems.splice(0)).toEqual([]));
  return { ...slow, outbox, problems };
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

test('an end does not wait for the files that others have replaced', async () => {
  const { outbox, files, hold, nextWrite, finishWrite } = await openSlowOutbox();
  let begun = nextWrite();
  outbox.put('e1', saying('e1', 'lost'));
  await begun;
  finishWrite();
  await outbox.flush();
  const removed = createDeferred<void>();
  hold.removals = removed.promise;
  begun = nextWrite();
  outbox.put('e1', saying('e1', 'done'));
  await begun;
  outbox.put('e2', saying('e2', 'done'));
  begun = nextWrite();
  finishWrite();
  await begun;
  finishWrite();
  removed.resolve();
  await outbox.flush();
  expect([...files.keys()]).toEqual(['outbox/000000001-i-1.json', 'outbox/000000002-i-1.json']);
});

describe('what cannot be replaced', () => {
  async function failToReplace() {
    const slow = await openSlowOutbox();
    const { outbox, nextWrite, finishWrite } = slow;
    let begun = nextWrite();
    outbox.put('e1', saying('e1', 'lost'));
    await begun;
    finishWrite();
    await outbox.flush();
    begun = nextWrite();
    outbox.put('e1', saying('e1', 'done'));
    await begun;
    return { ...slow, fail: () => finishWrite(new Error('no space left')) };
  }

  test('stays until it is acknowledged', async () => {
    const { outbox, files, problems, fail } = await failToReplace();
    fail();
    await outbox.flush();
    expect(problems.splice(0)).toEqual([expect.stringContaining('no space left')]);
    expect([...files.values()]).toEqual([JSON.stringify([{ executionId: 'e1', word: 'lost' }])]);
    outbox.remove('e1');
    await outbox.flush();
    expect([...files.keys()]).toEqual([]);
  });

  test('goes when it was acknowledged meanwhile', async () => {
    const { outbox, files, problems, fail } = await failToReplace();
    outbox.remove('e1');
    fail();
    await outbox.flush();
    expect(problems.splice(0)).toHaveLength(1);
    expect([...files.keys()]).toEqual([]);
  });
});
