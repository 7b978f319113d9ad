import { createHash } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { runJobforge } from '../cli/cli-run.fixture.js';
import { httpFetch } from '../cli/http-fetch.js';
import type { JobForgeOptions } from '../options.js';
import { createManualClock } from '../testing/manual-clock.js';
import { openFolders } from '../testing/open-folders.js';
import { openForges } from '../testing/open-forge.js';
import { ECHO } from '../testing/stub-runner.js';

const test = openForges();
const { inFolder, remove } = openFolders();
afterEach(async () => {
  await test.close();
  remove();
});

const TEXT = 'one,two\n1,2\n';
const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');
const SHA256 = sha256Of(TEXT);
const named = { name: 'data.csv', sha256: SHA256, bytes: TEXT.length };
const echo = { type: 'echo', payload: { type: 'echo', data: { text: 'hi' } } };
const json = { 'content-type': 'application/json' };
const form = 'ndjson' as const;

interface Reply {
  readonly status: number;
  readonly body: {
    readonly id: string;
    readonly error?: { readonly code: string; readonly message: string };
  };
}

/** A JobForge that listens, and a runner that fetches files unless it is said otherwise. */
async function stage(options: JobForgeOptions = {}, features = ['ndjson', 'cancel', 'files']) {
  const forge = await test.forge({ listen: { port: 0 }, ...options });
  const runner = await test.runner({ form, features, handle: (execution) => execution.accept() });
  await forge.operations.registerRunner(runner.registration());
  const url = forge.url ?? '';
  const replied = async (reply: Promise<Response>): Promise<Reply> => {
    const { status, text } = await reply.then(async (got) => ({
      status: got.status,
      text: await got.text(),
    }));
    return { status, body: JSON.parse(text) as Reply['body'] };
  };
  return {
    ...{ forge, runner, url },
    put: (body = TEXT, sha256 = sha256Of(body)) =>
      replied(fetch(`${url}/files/${sha256}`, { method: 'PUT', body })),
    submit: (more: object) =>
      replied(
        fetch(`${url}/jobs`, { method: 'POST', headers: json, body: JSON.stringify({ ...echo, ...more }) }),
      ),
    get: (query = '', leaseToken = '', sha256 = SHA256) =>
      fetch(`${url}/files/${sha256}${query}`, { headers: { 'x-lease-token': leaseToken } }),
  };
}

describe('files of a job', () => {
  it('go from their upload to the execution that holds the lease, and to nobody else', async () => {
    const { put, submit, get, runner, forge } = await stage();
    expect(await put()).toEqual({ status: 201, body: { sha256: SHA256, bytes: TEXT.length } });
    const { status, body } = await submit({ files: [{ ...named, contentType: 'text/csv' }] });
    expect(status).toBe(202);
    const { request, succeed } = await runner.execution(0);
    expect(request.files).toEqual([{ ...named, contentType: 'text/csv' }]);
    const { executionId, leaseToken } = request;
    const given = await get(`?execution=${executionId}`, leaseToken);
    expect(Object.fromEntries(given.headers)).toMatchObject({
      'content-type': 'text/csv',
      'content-length': String(TEXT.length),
      'x-content-sha256': SHA256,
      'content-disposition': 'attachment',
    });
    expect(await given.text()).toBe(TEXT);
    expect((await get(`?execution=${executionId}`, 'another')).status).toBe(409);
    expect((await get(`?execution=${executionId}`, leaseToken, sha256Of('other'))).status).toBe(404);
    expect(await (await get(`?job=${body.id}`)).text()).toBe(TEXT);
    succeed();
    await forge.job(body.id).result();
    expect((await get(`?execution=${executionId}`, leaseToken)).status).toBe(409);
    expect(await forge.job(body.id).show()).toMatchObject({ request: { files: [named] } });
  });

  it('are refused where they are not what was announced, too large or too many', async () => {
    const { put, get } = await stage({ limits: { maxFileBytes: 20, maxWaitingUploads: 1 } });
    expect(await put(TEXT, sha256Of('other'))).toMatchObject({ status: 400 });
    expect(await put('x'.repeat(21))).toMatchObject({ status: 413 });
    expect(await put(TEXT, 'no-hash')).toMatchObject({ body: { error: { code: 'VALIDATION_ERROR' } } });
    expect((await get()).status).toBe(404);
    expect(await put()).toMatchObject({ status: 201 });
    expect(await put('more')).toMatchObject({
      status: 413,
      body: { error: { message: '1 uploads of this caller wait already.' } },
    });
  });

  it('must be there before the job is: nothing is queued otherwise', async () => {
    const { put, submit, forge } = await stage();
    const refusal = async (files: unknown[]) => (await submit({ id: 'j', files })).body.error;
    expect(await refusal([named])).toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: `The file data.csv (SHA-256 ${SHA256}) has not been uploaded by this caller; nothing was queued.`,
    });
    await put();
    expect(await refusal([{ ...named, bytes: 3 }])).toMatchObject({ code: 'VALIDATION_ERROR' });
    expect(await refusal([named, named])).toMatchObject({ code: 'VALIDATION_ERROR' });
    await expect(forge.job('j').show()).rejects.toThrow('There is no job');
  });

  it('are the same job when it is submitted again, also when the upload is gone', async () => {
    const clock = createManualClock(1_000_000);
    const files = inFolder();
    const { put, submit, forge } = await stage({ clock, files });
    await put();
    const asked = { id: 'j', files: [named] };
    expect(await submit(asked)).toMatchObject({ status: 202 });
    const uploads = (): string[] =>
      readdirSync(join(files, 'uploads'), { recursive: true }).filter((path) =>
        String(path).endsWith(SHA256),
      ) as string[];
    expect(uploads()).toHaveLength(1);
    // As long as it is not that old, rounds leave it.
    clock.advance(23 * 3_600_000);
    clock.advance(61_000);
    clock.advance(2 * 3_600_000);
    await expect.poll(uploads, { timeout: 15_000 }).toEqual([]);
    expect(await submit({ files: [named] })).toMatchObject({ status: 404 });
    expect(await submit(asked)).toMatchObject({ status: 200, body: { id: 'j' } });
    expect(await submit({ ...asked, files: [] })).toMatchObject({ status: 409 });
    expect(await forge.job('j').show()).toMatchObject({ request: { files: [named] } });
  });

  it('go with the job, once that was found missing twice', async () => {
    const files = inFolder();
    const clock = createManualClock(1_000_000);
    const { put, submit, forge } = await stage({ clock, files, retention: { maxJobs: 1 } });
    await put();
    const carried = (): number => readdirSync(join(files, 'carried')).length;
    await submit({ id: 'a', files: [named], placement: { runner: 'nobody' } });
    await submit({ id: 'b', files: [named], placement: { runner: 'nobody' } });
    for (const id of ['a', 'b']) await forge.job(id).cancel();
    expect(carried()).toBe(2);
    const rounds = async (): Promise<number> => {
      clock.advance(61_000);
      return new Promise((resolve) => setImmediate(() => resolve(carried())));
    };
    await expect.poll(rounds, { timeout: 15_000 }).toBe(1);
    await expect(forge.job('a').show()).rejects.toThrow('There is no job');
    expect(await forge.job('b').show()).toMatchObject({ status: 'cancelled' });
  });

  it('wait for a runner that fetches them, and say so', async () => {
    const { put, submit, forge } = await stage({}, ['ndjson', 'cancel']);
    await put();
    const { body } = await submit({ files: [named] });
    const why = await forge.operations.whyJob(body.id);
    expect(why).toMatchObject({
      reason: 'no runner that offers echo has the feature files',
      needs: ['the feature files'],
      runners: [{ fails: 'features' }],
      wouldRunIf: ['a runner with the feature files registered'],
    });
  });
});

describe('an input that is too large for a message', () => {
  const data = { text: 'x'.repeat(300 * 1024) };
  const content = JSON.stringify(data);
  const dataFile = { sha256: sha256Of(content), bytes: content.length };

  it('travels as a file, and is shown as it was', async () => {
    const { submit, get, runner, forge } = await stage();
    const { body } = await submit({ payload: { type: 'echo', data } });
    const { request } = await runner.execution(0);
    expect(request).toMatchObject({ payload: {}, payloadFile: dataFile });
    const { executionId, leaseToken } = request;
    expect(await (await get(`?execution=${executionId}`, leaseToken, dataFile.sha256)).text()).toBe(content);
    const shown = await forge.job(body.id).show();
    expect(shown.request.payload).toMatchObject({ data, dataFile });
    const { request: again } = shown;
    const other = { ...again.payload, data: { text: 'another' } };
    expect(
      await forge.operations.submitJobs([
        again,
        { ...again, id: 'again' },
        { ...again, id: 'other', payload: other },
      ]),
    ).toMatchObject([{ id: body.id }, { id: 'again' }, { error: { code: 'VALIDATION_ERROR' } }]);
  });

  it('may be uploaded beforehand, and is checked against the schema as any other', async () => {
    const { put, submit, forge } = await stage();
    await put(content);
    const payload = { type: 'echo', data: {}, dataFile };
    expect(await submit({ payload })).toMatchObject({ status: 202 });
    const wrong = JSON.stringify({ text: 7, more: data.text });
    await put(wrong);
    const other = { sha256: sha256Of(wrong), bytes: wrong.length };
    expect(await submit({ id: 'wrong', payload: { ...payload, dataFile: other } })).toMatchObject({
      status: 400,
      body: { error: { code: 'VALIDATION_ERROR', details: [{ path: ['input', 'text'] }] } },
    });
    await put('[1]');
    const list = { sha256: sha256Of('[1]'), bytes: 3 };
    expect(await submit({ payload: { ...payload, dataFile: list } })).toMatchObject({ status: 400 });
    await expect(forge.job('wrong').show()).rejects.toThrow('There is no job');
  });

  it('is refused above the limit, and by a runner that does not fetch files', async () => {
    const { submit, forge } = await stage({ limits: { maxPayloadBytes: 310 * 1024 } }, ['ndjson']);
    const large = { text: 'x'.repeat(320 * 1024) };
    expect(await submit({ payload: { type: 'echo', data: large } })).toMatchObject({ status: 413 });
    const { body } = await submit({ payload: { type: 'echo', data }, placement: { noMatch: 'fail' } });
    expect(body.error).toMatchObject({ code: 'NO_MATCHING_RUNNER' });
    expect(body.error?.message).toContain('does not declare the feature files');
    expect(forge.running).toBe(0);
  });

  it('is taken up again after a restart', async () => {
    const folder = inFolder();
    const store = `sqlite:${join(folder, 'jobs.db')}`;
    const first = await test.forge({ store });
    const job = await first.submit({ capability: 'echo', input: data, files: { 'data.csv': TEXT } });
    await first.stop({ drainMs: 0 });
    const { runner, get } = await stage({ store });
    const { request } = await runner.execution(0);
    expect(request).toMatchObject({ jobId: job.id, payloadFile: dataFile, files: [named] });
    const { executionId, leaseToken } = request;
    expect(await (await get(`?execution=${executionId}`, leaseToken)).text()).toBe(TEXT);
    expect(ECHO.id).toBe(request.capabilityId);
  });
});

describe('jobforge job submit --file', () => {
  it('sends a file once, and names it in each job', async () => {
    const { url, runner } = await stage();
    const path = join(inFolder(), 'june.csv');
    writeFileSync(path, TEXT);
    const sent: string[] = [];
    const fetch: typeof globalThis.fetch = (input, init) => {
      sent.push(`${init?.method} ${new URL(input instanceof Request ? input.url : input).pathname}`);
      return httpFetch(input, init);
    };
    const submit = (...files: string[]) =>
      runJobforge(url, ['job', 'submit', 'echo', '{}', '--json', ...files], { fetch });
    const { code, out } = await submit('--file', `data.csv=${path}`);
    expect({
      code,
      files: (JSON.parse(out.join('')) as { request: { files: unknown } }).request.files,
    }).toEqual({
      code: 0,
      files: [{ ...named, contentType: 'application/octet-stream' }],
    });
    expect(sent).toEqual([`HEAD /files/${SHA256}`, `PUT /files/${SHA256}`, 'POST /jobs']);
    expect(await submit('--file', path, '--file', `again=${path}`)).toMatchObject({ code: 0 });
    expect(sent.slice(3)).toEqual([`HEAD /files/${SHA256}`, `HEAD /files/${SHA256}`, 'POST /jobs']);
    const { request } = await runner.execution(1);
    expect(request.files?.map(({ name }) => name)).toEqual(['june.csv', 'again']);
  });

  it('says what is wrong with a file, and queues nothing', async () => {
    const { url, forge } = await stage();
    for (const [file, words] of [
      ['data.csv=/no/such/file', 'the file /no/such/file does not exist'],
      [`data.csv=${inFolder()}`, 'is a folder, not a file'],
      ['=x', '--file =x names no file'],
    ] as const) {
      const { code, err } = await runJobforge(url, ['job', 'submit', 'echo', '{}', '--file', file]);
      expect({ code, err: err.join('\n') }).toEqual({ code: 2, err: expect.stringContaining(words) });
    }
    expect((await forge.operations.listJobs({ limit: 10 })).items).toEqual([]);
  });

  it('sends an input that is too large for a request', async () => {
    const { url, forge } = await stage();
    const data = { text: 'x'.repeat(5 * 1024 * 1024) };
    const readStdin = async (): Promise<string> => JSON.stringify(data);
    const { code, out } = await runJobforge(url, ['job', 'submit', 'echo', '-', '--json'], { readStdin });
    expect(code).toBe(0);
    const { id } = JSON.parse(out.join('')) as { id: string };
    expect((await forge.job(id).show()).request.payload).toMatchObject({
      data: {},
      dataFile: { bytes: JSON.stringify(data).length },
    });
  });
});
