import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { JobSubmission } from '@controlplane/contracts';
import { openFolders } from '../testing/open-folders.js';
import { openForges } from '../testing/open-forge.js';

const test = openForges();
const { inFolder, remove } = openFolders();
afterEach(async () => {
  await test.close();
  remove();
});

const fileOf = (text: string) => ({
  sha256: createHash('sha256').update(text).digest('hex'),
  bytes: Buffer.byteLength(text),
});

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

const asking = (more: object): JobSubmission =>
  JobSubmission.parse({ type: 'echo', payload: { type: 'echo', data: {} }, ...more });

describe('a submission with files', () => {
  it('leaves nothing with a job that has its id already', async () => {
    const folder = inFolder();
    const { operations } = await test.forge({ files: folder });
    await operations.putFile({ sha256: undefined, body: once('mine') }, 'first');
    const asked = asking({ id: 'j', files: [{ name: 'a', ...fileOf('mine') }] });
    expect(await operations.submitJob(asked, 'first')).toMatchObject({ created: true });
    const kept = (): string[] =>
      readdirSync(join(folder, 'carried'), { recursive: true }).map(String).toSorted();
    const before = kept();
    expect(before.some((path) => path.endsWith(fileOf('mine').sha256))).toBe(true);

    await operations.putFile({ sha256: undefined, body: once('theirs') }, 'second');
    const other = asking({ id: 'j', files: [{ name: 'a', ...fileOf('theirs') }] });
    await expect(operations.submitJob(other, 'second')).rejects.toMatchObject({
      envelope: { code: 'JOB_CONFLICT' },
    });
    const data = { text: 'x'.repeat(300 * 1024) };
    const large = asking({ id: 'j', payload: { type: 'echo', data } });
    expect(await operations.submitJobs([large], 'second')).toMatchObject([
      { id: 'j', error: { code: 'JOB_CONFLICT' } },
    ]);
    expect(kept()).toEqual(before);
    expect(await operations.submitJob(asked, 'first')).toMatchObject({ created: false });
  });

  it('makes room for the uploads of its caller once it has taken over theirs', async () => {
    const { operations } = await test.forge({ limits: { maxWaitingUploads: 2 } });
    const put = (text: string, sha256?: string) => operations.putFile({ sha256, body: once(text) }, 'me');
    await put('a');
    await put('b');
    expect(await put('a', fileOf('a').sha256)).toEqual(fileOf('a'));
    expect(await put('b')).toEqual(fileOf('b'));
    const full = { envelope: { code: 'PAYLOAD_TOO_LARGE' } };
    await expect(put('c', fileOf('c').sha256)).rejects.toMatchObject(full);
    await expect(put('c')).rejects.toMatchObject(full);
    const { job } = await operations.submitJob(asking({ files: [{ name: 'b', ...fileOf('b') }] }), 'me');
    expect(await put('c')).toEqual(fileOf('c'));
    const has = (text: string) => operations.getFile(fileOf(text).sha256, { uploadedBy: 'me' });
    await expect(has('b')).rejects.toMatchObject({ envelope: { code: 'FILE_NOT_FOUND' } });
    for (const text of ['a', 'c']) expect(await has(text)).toMatchObject(fileOf(text));
    expect(await operations.getFile(fileOf('b').sha256, { jobId: job.id })).toMatchObject(fileOf('b'));
  });

  it('runs with an input that fits into a message, where that is named as a file too', async () => {
    const features = ['ndjson', 'cancel', 'files'];
    const forge = await test.forge();
    const runner = await test.runner({ form: 'ndjson', features, handle: (execution) => execution.accept() });
    await forge.operations.registerRunner(runner.registration());
    const data = { text: 'small' };
    const dataFile = fileOf(JSON.stringify(data));
    const asked = asking({ id: 'j', payload: { type: 'echo', data, dataFile } });
    expect(await forge.operations.submitJob(asked)).toMatchObject({ created: true });
    const { request } = await runner.execution(0);
    expect(request.payload).toEqual(data);
    expect(request).not.toHaveProperty('payloadFile');
    expect(await forge.operations.submitJob(asked)).toMatchObject({ created: false });
  });
});
