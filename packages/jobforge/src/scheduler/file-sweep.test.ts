import { JobSubmission } from '@controlplane/contracts';
import { createHash } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { createFileRooms } from '../files/file-rooms.js';
import { DEFAULT_LIMITS } from '../model/limits.js';
import { createManualClock } from '../testing/manual-clock.js';
import { openFolders } from '../testing/open-folders.js';
import { createFileClaims } from './file-claims.js';
import { createFileSweep } from './file-sweep.js';
import { createSubmissionFiles } from './submission-files.js';

const { inFolder, remove } = openFolders();
afterEach(remove);

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** Files of one job that the store does not have, and what is done while it is asked. */
function stage() {
  const files = createFileRooms(inFolder());
  const claims = createFileClaims();
  const clock = createManualClock(Date.now());
  let meanwhile: () => Promise<void> = async () => undefined;
  const store = {
    async loadJob() {
      await meanwhile();
      return undefined;
    },
  } as never;
  const state = { store, limits: DEFAULT_LIMITS, clock };
  const forgetArtifacts = (jobId: string): Promise<void> => files.artifacts.remove(jobId);
  const { gather } = createSubmissionFiles({ state, files, claims });
  const file = {
    name: 'a',
    sha256: createHash('sha256').update('mine').digest('hex'),
    bytes: 4,
  };
  const payload = { type: 'echo', data: {} };
  const submission = JobSubmission.parse({ id: 'j', type: 'echo', payload, files: [file] });
  return {
    ...{ files, claims },
    sweep: createFileSweep({ state, files, claims, forgetArtifacts }),
    upload: async () => (await files.uploads.receive('me', once('mine'), 10)).keep(),
    submit: async () => (await gather({ submission, input: '{}', actor: 'me' })).keep(),
    isKept: async () => (await files.carried.find('j', file.sha256)) !== undefined,
    while: (work: () => Promise<void>) => void (meanwhile = work),
  };
}

it('files of a job that is gone are forgotten once it was missing twice', async () => {
  const { sweep, upload, submit, isKept } = stage();
  await upload();
  await submit();
  expect(await sweep(true)).toBe(0);
  expect(await isKept()).toBe(true);
  expect(await sweep(true)).toBe(1);
  expect(await isKept()).toBe(false);
});

it('files that a job submitted again names stay, although its second look had begun', async () => {
  const stood = stage();
  await stood.upload();
  await stood.submit();
  await stood.sweep(true);
  stood.while(stood.submit);
  expect(await stood.sweep(true)).toBe(0);
  expect(await stood.isKept()).toBe(true);
});

it('a job that is submitted while its files are being removed waits, and brings them anew', async () => {
  const { claims, files, upload, submit, isKept } = stage();
  await upload();
  await submit();
  claims.nextLook();
  claims.nextLook();
  let submitted: Promise<void> | undefined;
  const removed = await claims.forget('j', async () => {
    submitted = submit();
    await files.carried.remove('j');
  });
  await submitted;
  expect([removed, await isKept()]).toEqual([true, true]);
});
