import { expect, test } from 'vitest';
import type { ExecutionRequest } from '../../execution/execute.js';
import { createVirtualClock } from '../../util/virtual-clock.js';
import type { HostedRunner } from '../host.js';
import type { Answer } from '../refusals.js';
import { createFileOpener } from './file-opener.js';

const request = { executionId: 'e', leaseToken: 't' } as ExecutionRequest;
const file = { sha256: 'a'.repeat(64), bytes: 6 };
const refusal = (code: string) =>
  ({ ok: false, code, message: `${code}.`, retryAfterMs: undefined }) as const;

/** Gives pieces, and breaks off after them unless they are all. */
const body = (...pieces: string[]): Answer<AsyncIterable<Uint8Array>> => ({
  ok: true,
  value: (async function* () {
    for (const piece of pieces) yield Buffer.from(piece);
    if (pieces.join('').length < file.bytes) throw new Error('hung up');
  })(),
});

/** Answers what it is told to, each once. */
function stage(...answers: Answer<AsyncIterable<Uint8Array>>[]) {
  const clock = createVirtualClock();
  const abort = new AbortController();
  const asked: unknown[] = [];
  const runner = {
    ...{ clock, random: () => 0 },
    cancel: () => abort.abort(new Error('the lease is lost')),
  } as unknown as HostedRunner;
  const open = createFileOpener({
    runner,
    limits: () => undefined,
    leaseTokenOf: ({ leaseToken }) => leaseToken,
    client: {
      putArtifact: async () => refusal('UNREACHABLE'),
      putResult: async () => refusal('UNREACHABLE'),
      async getFile(question) {
        asked.push(question);
        return answers.shift() ?? refusal('FILE_NOT_FOUND');
      },
    },
  });
  const read = async (): Promise<string> => {
    let text = '';
    for await (const piece of open(request, file, abort.signal)) text += Buffer.from(piece).toString();
    return text;
  };
  return { asked, read: () => clock.advanceUntil(read()) };
}

test('a file that breaks off is asked for again, and goes on where it was', async () => {
  const { asked, read } = stage(body('ab', 'c'), refusal('UNREACHABLE'), body('a', 'bcd', 'ef'));
  expect(await read()).toBe('abcdef');
  expect(asked).toEqual(Array(3).fill({ sha256: file.sha256, executionId: 'e', leaseToken: 't' }));
});

test('a file that is not there is said to be missing', async () => {
  const failed = stage().read();
  await expect(failed).rejects.toMatchObject({ code: 'FILE_MISSING' });
  await expect(failed).rejects.toThrow('FILE_NOT_FOUND');
});

test('an execution whose lease is lost reads no further', async () => {
  await expect(stage(body('abc'), refusal('LEASE_SUPERSEDED')).read()).rejects.toThrow('the lease is lost');
});
