import { expect, test } from 'vitest';
import type { ExecutionRequest, LeftFile } from '../../execution/execute.js';
import { createVirtualClock } from '../../util/virtual-clock.js';
import type { HostedRunner } from '../host.js';
import type { Answer } from '../refusals.js';
import { createFileCarrier } from './file-carrier.js';

const request: ExecutionRequest = {
  ...{
    jobId: 'j',
    executionId: 'e',
    attempt: 1,
    moduleId: 'm',
    capabilityId: 'c',
    payload: {},
    metadata: {},
  },
  leaseToken: 't',
};
const refusal = (code: string) =>
  ({ ok: false, code, message: `${code}.`, retryAfterMs: undefined }) as const;
const SHA256 = 'fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603'; // of "ab"

/** Answers what it is told to, each once, and then that the file is there. */
function stage(...refusals: Answer<never>[]) {
  const clock = createVirtualClock();
  const abort = new AbortController();
  const sent: string[] = [];
  const runner = {
    ...{ clock, random: () => 0 },
    cancel: () => abort.abort(new Error('the lease is lost')),
  } as unknown as HostedRunner;
  const carrier = createFileCarrier({
    runner,
    limits: () => ({ maxBodyBytes: 1_000, maxLogBytes: 1_000, maxArtifactBytes: 5 }),
    leaseTokenOf: ({ leaseToken }) => leaseToken,
    client: {
      async putArtifact({ executionId, leaseToken, name, contentType, body }) {
        let text = '';
        for await (const piece of body) text += Buffer.from(piece).toString();
        sent.push(`${name} ${leaseToken} ${text}`);
        const about = { name, jobId: 'j', executionId, bytes: text.length, contentType };
        const value = { ...about, sha256: SHA256, createdAt: new Date(0).toISOString() };
        return refusals.shift() ?? { ok: true, value };
      },
      putResult: async () => refusals.shift() ?? { ok: true, value: { sha256: SHA256, bytes: 2 } },
      getFile: async () => refusals.shift() ?? { ok: true, value: (async function* () {})() },
    },
  });
  const put = (more: Partial<LeftFile> = {}) => {
    async function* read() {
      yield Buffer.from('a');
      yield Buffer.from('b');
    }
    const file = { name: 'f', contentType: 'a/b', isRepeatable: true, read, ...more };
    return carrier.put(request, file, abort.signal);
  };
  return { clock, sent, put };
}

test('a file is sent again until the control plane takes it', async () => {
  const { clock, sent, put } = stage(refusal('UNREACHABLE'), refusal('STORE_UNAVAILABLE'));
  expect(await clock.advanceUntil(put())).toMatchObject({ name: 'f', bytes: 2 });
  expect(sent).toEqual(['f t ab', 'f t ab', 'f t ab']);
});

test('a stream is sent once', async () => {
  const { sent, put } = stage(refusal('UNREACHABLE'));
  await expect(put({ isRepeatable: false })).rejects.toMatchObject({
    code: 'ARTIFACT_REFUSED',
    message: expect.stringContaining('A stream cannot be sent again') as string,
  });
  expect(sent).toHaveLength(1);
});

test('what arrived as something else is sent again', async () => {
  const { clock, sent, put } = stage();
  let readings = 0;
  const read = async function* () {
    yield Buffer.from(++readings === 1 ? 'ax' : 'ab');
  };
  expect(await clock.advanceUntil(put({ read }))).toMatchObject({ sha256: SHA256 });
  expect(sent).toEqual(['f t ax', 'f t ab']);
});

test.each(['LEASE_SUPERSEDED', 'EXECUTION_NOT_FOUND'])(
  'an execution that is answered %s stops',
  async (code) => {
    const { put } = stage(refusal(code));
    await expect(put()).rejects.toThrow('the lease is lost');
  },
);

test('what is refused for good is not asked again', async () => {
  const { sent, put } = stage(refusal('PAYLOAD_TOO_LARGE'));
  await expect(put()).rejects.toThrow('the artifact f was not left: PAYLOAD_TOO_LARGE');
  expect(sent).toHaveLength(1);
});

test('a file that is larger than the control plane has said is not sent', async () => {
  const { sent, put } = stage();
  await expect(put({ bytes: 6 })).rejects.toThrow('larger than the limit of 5 bytes: it has 6');
  expect(sent).toEqual([]);
});
