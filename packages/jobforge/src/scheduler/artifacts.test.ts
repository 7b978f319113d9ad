import { Artifact } from '@controlplane/contracts';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { runJobforge } from '../cli/cli-run.fixture.js';
import { saveFile } from '../cli/save-file.js';
import type { JobForgeOptions } from '../options.js';
import { createManualClock } from '../testing/manual-clock.js';
import { openFolders } from '../testing/open-folders.js';
import { openForges } from '../testing/open-forge.js';

const test = openForges();
const { inFolder, remove } = openFolders();
afterEach(async () => {
  await test.close();
  remove();
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A JobForge with one execution that runs on. */
async function running(options: JobForgeOptions = {}) {
  const forge = await test.forge({ listen: { port: 0 }, ...options });
  const runner = await test.runner({ form: 'ndjson', handle: (execution) => execution.accept() });
  await forge.operations.registerRunner(runner.registration());
  const job = await forge.submit({ capability: 'echo', input: { text: 'hi' } });
  const execution = await runner.execution(0);
  const { executionId, leaseToken } = execution.request;
  const url = forge.url ?? '';
  const put = (name: string, body: string | ReadableStream, headers: Record<string, string> = {}) =>
    fetch(`${url}/executions/${executionId}/artifacts/${name}`, {
      method: 'PUT',
      body,
      headers: { 'x-lease-token': leaseToken, ...headers },
      ...(typeof body !== 'string' && { duplex: 'half' }),
    });
  return { forge, job, execution, url, put, get: (path: string) => fetch(`${url}/jobs/${job.id}${path}`) };
}

const codeOf = async (reply: Response): Promise<string> =>
  ((await reply.json()) as { error: { code: string } }).error.code;

describe('artifacts', () => {
  it('are left by an execution that runs, and given to whoever asks, also after its end', async () => {
    const { job, execution, put, get } = await running();
    const stored = await put('report.txt', 'all is well', { 'content-type': 'text/plain' });
    expect(stored.status).toBe(201);
    expect(Artifact.parse(await stored.json())).toMatchObject({
      name: 'report.txt',
      jobId: job.id,
      bytes: 11,
      sha256: sha256('all is well'),
      contentType: 'text/plain',
    });
    execution.succeed();
    await job.result();
    const listed = Artifact.array().parse(await (await get('/artifacts')).json());
    expect(listed.map(({ name }) => name)).toEqual(['report.txt']);
    const given = await get('/artifacts/report.txt');
    expect(Object.fromEntries(given.headers)).toMatchObject({
      'content-type': 'text/plain',
      'content-disposition': 'attachment; filename="report.txt"',
      'x-content-sha256': sha256('all is well'),
      'x-content-type-options': 'nosniff',
    });
    expect(await given.text()).toBe('all is well');
  });

  it('may be many megabytes, in pieces; the same name again takes the place of the first', async () => {
    const { put, get } = await running();
    await put('big', 'first');
    const piece = Buffer.alloc(1024 * 1024, 7);
    let left = 9;
    const body = new ReadableStream({
      pull(controller) {
        if (left-- > 0) controller.enqueue(piece);
        else controller.close();
      },
    });
    expect((await put('big', body)).status).toBe(201);
    expect((await (await get('/artifacts/big')).arrayBuffer()).byteLength).toBe(9 * 1024 * 1024);
    expect((await (await get('/artifacts')).json()) as unknown[]).toHaveLength(1);
  });

  it('are refused without the lease, after the end, and where they are not what was announced', async () => {
    const { job, execution, put, get, url } = await running();
    expect(await codeOf(await put('a', 'x', { 'x-lease-token': 'wrong' }))).toBe('LEASE_SUPERSEDED');
    expect(await codeOf(await put('a', 'x', { 'x-content-sha256': sha256('y') }))).toBe('VALIDATION_ERROR');
    expect((await put('a', 'x', { 'x-content-sha256': sha256('x') })).status).toBe(201);
    expect(await codeOf(await put('.hidden', 'x'))).toBe('VALIDATION_ERROR');
    expect(await codeOf(await put('%2e%2e%2fetc', 'x'))).toBe('VALIDATION_ERROR');
    execution.succeed();
    await job.result();
    expect(await codeOf(await put('b', 'x'))).toBe('LEASE_SUPERSEDED');
    const nobody = await fetch(`${url}/executions/nobody/artifacts/a`, { method: 'PUT', body: 'x' });
    expect(await codeOf(nobody)).toBe('EXECUTION_NOT_FOUND');
    expect(await codeOf(await get('/artifacts/b'))).toBe('ARTIFACT_NOT_FOUND');
    expect(await codeOf(await get('/artifacts/..%2fx'))).toBe('ARTIFACT_NOT_FOUND');
    expect(await codeOf(await fetch(`${url}/jobs/nobody/artifacts`))).toBe('JOB_NOT_FOUND');
  });

  it('are bounded in size and in number', async () => {
    const { put } = await running({ limits: { maxArtifactBytes: 10, maxArtifactsPerJob: 2 } });
    const refused = await put('a', '12345678901');
    expect([refused.status, await codeOf(refused)]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    for (const name of ['a', 'b', 'a']) expect((await put(name, '1234567890')).status).toBe(201);
    expect(await codeOf(await put('c', 'x'))).toBe('PAYLOAD_TOO_LARGE');
  });

  it('leave nothing on the disk of what is refused or replaced', async () => {
    const files = inFolder();
    const { put, get } = await running({ files, limits: { maxArtifactsPerJob: 2 } });
    const kept = (): string[] =>
      readdirSync(join(files, readdirSync(files)[0] ?? ''))
        .filter((name) => name !== 'job')
        .toSorted();
    for (const name of ['a', 'b']) expect((await put(name, 'one')).status).toBe(201);
    expect((await put('c', 'too many')).status).toBe(413);
    expect((await put('a', 'other', { 'x-content-sha256': sha256('announced') })).status).toBe(400);
    expect(kept()).toEqual([sha256('one')]);
    expect((await put('a', 'two')).status).toBe(201);
    expect(kept()).toEqual([sha256('one'), sha256('two')].toSorted());
    expect((await put('b', 'two')).status).toBe(201);
    expect(kept()).toEqual([sha256('two')]);
    expect(await (await get('/artifacts/a')).text()).toBe('two');
  });

  it('that come at once are as few as those that come one by one', async () => {
    const files = inFolder();
    const { put, get } = await running({ files, limits: { maxArtifactsPerJob: 2 } });
    const bodies = ['a', 'b', 'c', 'd'].map((name) => {
      let finish = (): void => undefined;
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(Buffer.from(name));
          finish = () => controller.close();
        },
      });
      return { sent: put(name, body), finish: () => finish() };
    });
    // Those without room are answered while the others still come.
    const refused = await Promise.any([
      Promise.all([bodies[2]?.sent, bodies[3]?.sent]),
      ...bodies.slice(0, 2).map(async ({ sent }) => [await sent]),
    ]);
    expect(refused.every((reply) => reply?.status === 413)).toBe(true);
    for (const { finish } of bodies) finish();
    const replies = await Promise.all(bodies.map(({ sent }) => sent));
    expect(replies.map(({ status }) => status).toSorted((left, right) => left - right)).toEqual([
      201, 201, 413, 413,
    ]);
    expect((await (await get('/artifacts')).json()) as unknown[]).toHaveLength(2);
  });

  it('go with their job', async () => {
    const folder = inFolder();
    const clock = createManualClock(Date.now());
    const store = `sqlite:${join(folder, 'jobs.db')}`;
    const { forge, job, execution, put, get } = await running({
      store,
      clock,
      retention: { maxAgeMs: 1_000 },
    });
    await put('a', 'x');
    const files = join(folder, 'files');
    expect(readdirSync(files)).toHaveLength(1);
    execution.succeed();
    await job.result();
    // What is missing once may be on its way: the second look is believed.
    const afterRound = (): string[] => {
      clock.advance(61_000);
      return readdirSync(files);
    };
    await expect.poll(afterRound, { timeout: 15_000 }).toEqual([]);
    expect((await get('/artifacts')).status).toBe(404);
    await forge.stop();
  });
});

describe('jobforge job artifacts and download', () => {
  it('list and fetch what a job has left, and write over nothing', async () => {
    const { job, put, url } = await running();
    await put('report.txt', 'all is well', { 'content-type': 'text/plain' });
    const list = await runJobforge(url, ['job', 'artifacts', job.id]);
    expect(list.out[1]).toMatch(/^report\.txt +11 +text\/plain +[0-9a-f]{16} /);
    const path = join(inFolder(), 'copy.txt');
    const download = ['job', 'download', job.id, 'report.txt', '--output', path];
    expect(await runJobforge(url, download, { saveFile })).toMatchObject({
      code: 0,
      out: [`report.txt is in ${path}`],
    });
    expect(readFileSync(path, 'utf8')).toBe('all is well');
    const again = await runJobforge(url, [...download, '--json'], { saveFile });
    expect(again.code).toBe(2);
    expect(again.out[0]).toContain('exists already');
    const missing = await runJobforge(url, ['job', 'download', job.id, 'none'], { saveFile });
    expect(missing.err[0]).toContain('ARTIFACT_NOT_FOUND');
    expect(existsSync('none')).toBe(false);
  });
});
