import { expect, test } from 'vitest';
import { createDeferred, type Deferred } from '../util/deferred.js';
import { createUnconfirmedFrames } from './unconfirmed-frames.js';

function createSocket() {
  const sent: unknown[] = [];
  const asked: Deferred<boolean>[] = [];
  const socket = {
    send(text: string) {
      sent.push(JSON.parse(text));
      return true;
    },
    confirm() {
      const answer = createDeferred<boolean>();
      asked.push(answer);
      return answer.promise;
    },
  };
  return { sent, asked, socket };
}

test('what is not known to have been read is sent again, in order, and nothing else', async () => {
  const { sent, asked, socket } = createSocket();
  const confirmed: string[] = [];
  const frames = createUnconfirmedFrames<object>(socket, (id) => void confirmed.push(id));
  frames.push({ n: 1 });
  expect(sent).toEqual([]);
  frames.onLinkUp();
  frames.push({ n: 2 }, { executionId: 'e', isResult: false });
  asked[0]?.resolve(true);
  await expect.poll(() => asked.length).toBe(2);
  frames.push({ n: 3 }, { executionId: 'e', isResult: true });
  expect(frames.of('e')).toEqual([{ n: 2 }, { n: 3 }]);
  expect(sent).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  expect(frames.results()).toBe(1);
  frames.onLinkLost();
  asked[1]?.resolve(false);
  const empty = frames.whenEmpty();
  await expect.poll(() => asked.length).toBe(2);
  frames.onLinkUp();
  expect(sent.slice(3)).toEqual([{ n: 2 }, { n: 3 }]);
  asked[2]?.resolve(true);
  await empty;
  expect(confirmed).toEqual(['e']);
  expect(frames.results()).toBe(0);
});
