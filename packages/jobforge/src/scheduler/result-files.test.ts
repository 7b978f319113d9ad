import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { JobForgeOptions } from '../options.js';
import { openFolders } from '../testing/open-folders.js';
import { openForges } from '../testing/open-forge.js';
import { ECHO, type StubExecution } from '../testing/stub-runner.js';

const test = openForges();
const { inFolder, remove } = openFolders();
afterEach(async () => {
  await test.close();
  remove();
});

const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');
const fileOf = (text: string) => ({ sha256: sha256Of(text), bytes: Buffer.byteLength(text) });
const KEY = Buffer.alloc(32, 7).toString('base64');
const RESULT = { rows: 'x'.repeat(300) };
const TEXT = JSON.stringify(RESULT);

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** A JobForge, and a job that a runner has accepted. */
async function stage(options: JobForgeOptions = {}, capabilities: readonly object[] = [ECHO]) {
  const forge = await test.forge(options);
  const features = ['ndjson', 'cancel', 'files'];
  const runner = await test.runner({ form: 'ndjson', features, handle: (execution) => execution.accept() });
  if (capabilities[0] !== ECHO) await forge.operations.setSecret('API_KEY', { value: 'hunter2-long' });
  await forge.operations.registerRunner(runner.registration({ capabilities }));
  const job = await forge.submit({ capability: 'echo', input: {} });
  const execution = await runner.execution(0);
  const { executionId, leaseToken } = execution.request;
  return {
    ...{ forge, job, runner, execution },
    put: (text = TEXT, token = leaseToken) =>
      forge.operations.putResult(executionId, { leaseToken: token, body: once(text) }),
  };
}

const name = (execution: StubExecution, dataFile: object): void =>
  execution.send({ type: 'succeeded', dataFile, executionTimeMs: 1 });

describe('a result that is a file', () => {
  it('is shown with its job, and can be read', async () => {
    const { forge, job, execution, put } = await stage();
    expect(await put()).toEqual(fileOf(TEXT));
    name(execution, fileOf(TEXT));
    await job.result();
    expect((await job.show()).result).toMatchObject({
      success: true,
      data: RESULT,
      dataFile: fileOf(TEXT),
    });
    const { result: plain } = await forge.operations.showJob(job.id, { plain: true });
    expect(plain).toMatchObject({ success: true, dataFile: fileOf(TEXT) });
    expect(plain).not.toHaveProperty('data');
    const { bytes, body } = await forge.operations.getFile(sha256Of(TEXT), { jobId: job.id });
    let read = '';
    for await (const chunk of body) read += Buffer.from(chunk).toString();
    expect([bytes, read]).toEqual([TEXT.length, TEXT]);
  });

  it('is refused above the limit, and from whom the lease is not', async () => {
    const { put } = await stage({ limits: { maxPayloadBytes: 310 } });
    await expect(put()).rejects.toMatchObject({ envelope: { code: 'PAYLOAD_TOO_LARGE' } });
    await expect(put('[]', 'another')).rejects.toMatchObject({ envelope: { code: 'LEASE_SUPERSEDED' } });
    expect(await put('[]')).toEqual(fileOf('[]'));
  });

  it('fails its job where it has not arrived, or is of another size', async () => {
    const absent = await stage();
    name(absent.execution, fileOf(TEXT));
    expect((await absent.job.result()).error).toMatchObject({
      code: 'OUTPUT_INVALID',
      message: `The result is named as a file of ${TEXT.length} bytes with the SHA-256 ${sha256Of(TEXT)}, which has not arrived.`,
    });
    const other = await stage();
    await other.put();
    name(other.execution, { ...fileOf(TEXT), bytes: 7 });
    expect((await other.job.result()).error?.message).toContain(`which has ${TEXT.length} bytes`);
  });

  it('is not shown where it nests deeper than an answer may', async () => {
    const deep = '['.repeat(20_000) + ']'.repeat(20_000);
    const { job, execution, put } = await stage();
    await put(deep);
    name(execution, fileOf(deep));
    await job.result();
    const { result } = await job.show();
    expect(result).toMatchObject({ success: true, dataFile: fileOf(deep) });
    expect(result).not.toHaveProperty('data');
  });

  it('is refused from an execution that was given secrets, also after a restart', async () => {
    const options = { store: `sqlite:${join(inFolder(), 'jobs.db')}`, secretsKey: KEY };
    const { forge, job, runner, put } = await stage(options, [{ ...ECHO, secrets: ['API_KEY'] }]);
    await expect(put()).rejects.toMatchObject({ envelope: { code: 'VALIDATION_ERROR' } });
    await expect.poll(async () => (await job.show()).status, { timeout: 15_000 }).toBe('running');
    await forge.stop({ drainMs: 0 });

    const second = await test.forge(options);
    const again = await runner.execution(1);
    const { executionId, leaseToken } = again.request;
    const upload = { leaseToken, body: once(TEXT) };
    await expect(second.operations.putResult(executionId, upload)).rejects.toMatchObject({
      envelope: { code: 'VALIDATION_ERROR' },
    });
    name(again, fileOf(TEXT));
    expect((await second.job(job.id).result()).error).toMatchObject({
      code: 'OUTPUT_INVALID',
      message: 'The execution was given secrets, and named a file as its result.',
    });
  });
});

describe('a result', () => {
  const NAMED = { ...ECHO, outputSchema: { type: 'object', properties: { rows: { type: 'number' } } } };
  const judged = async (data: unknown) => {
    const { job, execution } = await stage({}, [NAMED]);
    execution.send({ type: 'succeeded', data, executionTimeMs: 1 });
    return job.result();
  };

  it('that its capability does not promise is none', async () => {
    expect(await judged({ rows: 1 })).toMatchObject({ success: true, data: { rows: 1 } });
    expect(await judged({ rows: 'many' })).toMatchObject({
      success: false,
      error: {
        code: 'OUTPUT_INVALID',
        retryable: false,
        details: [{ path: ['output', 'rows'], message: 'expected number, received string' }],
      },
    });
  });
});
