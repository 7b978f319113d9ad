import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openFolders } from '../testing/open-folders.js';
import { openForges } from '../testing/open-forge.js';
import { runJobforge } from './cli-run.fixture.js';
import { saveFile } from './save-file.js';

const test = openForges();
const { inFolder, remove } = openFolders();
afterEach(async () => {
  await test.close();
  remove();
});

const TEXT = JSON.stringify({ rows: 'x'.repeat(400_000) });
const FILE = { sha256: createHash('sha256').update(TEXT).digest('hex'), bytes: Buffer.byteLength(TEXT) };

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** A JobForge with a job that runs on. */
async function running() {
  const forge = await test.forge({ listen: { port: 0 } });
  const features = ['ndjson', 'cancel', 'files'];
  const runner = await test.runner({ form: 'ndjson', features, handle: (execution) => execution.accept() });
  await forge.operations.registerRunner(runner.registration());
  const job = await forge.submit({ capability: 'echo', input: {}, metadata: { source: 'cli' } });
  const execution = await runner.execution(0);
  return { forge, job, execution, url: forge.url ?? '' };
}

/** The same job, once it has ended with a result that is too large for a message. */
async function ended() {
  const stage = await running();
  const { executionId, leaseToken } = stage.execution.request;
  await stage.forge.operations.putResult(executionId, { leaseToken, body: once(TEXT) });
  stage.execution.send({ type: 'succeeded', dataFile: FILE, executionTimeMs: 1 });
  await stage.job.result();
  return stage;
}

describe('a result that is too large for a message', () => {
  it('is not printed: who shows its job is told how to fetch it', async () => {
    const { job, url } = await ended();
    const how = `${FILE.bytes} bytes of JSON: jobforge job download ${job.id}`;
    const shown = await runJobforge(url, ['job', 'show', job.id]);
    expect(shown.out.find((line) => line.startsWith('result'))).toContain(how);
    const submit = ['job', 'submit', 'echo', '{}', '--id', job.id, '--wait'];
    expect((await runJobforge(url, submit)).out.at(-1)).toContain(how);
  });

  it('is downloaded as JSON, and a file that is there is written over only where that is asked for', async () => {
    const { job, url } = await ended();
    const path = join(inFolder(), 'result.json');
    const download = ['job', 'download', job.id, '--output', path];
    expect(await runJobforge(url, download, { saveFile })).toMatchObject({
      code: 0,
      out: [`the result of ${job.id} is in ${path}`],
    });
    expect(readFileSync(path, 'utf8')).toBe(TEXT);
    const again = await runJobforge(url, download, { saveFile });
    expect(again.code).toBe(2);
    expect(again.err.join('\n')).toContain('--force');
    const forced = await runJobforge(url, [...download, '--force', '--json'], { saveFile });
    expect(forced).toMatchObject({ code: 0, out: [JSON.stringify({ path })] });
  });

  it.each([
    ['is another than was announced', 'is another', (body: string) => new Response(`${body} `)],
    [
      'breaks off',
      'broke off',
      (body: string) =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(Buffer.from(body));
              controller.error(new TypeError('terminated'));
            },
          }),
        ),
    ],
  ])('leaves nothing where what arrives %s', async (_how, words, reply) => {
    const { job, url } = await ended();
    const folder = inFolder();
    const path = join(folder, 'result.json');
    const download = ['job', 'download', job.id, '--output', path];
    const meddling: typeof fetch = async (target, init) =>
      new Request(target, init).url.includes('/files/') ? reply(TEXT) : fetch(target, init);
    const run = await runJobforge(url, download, { saveFile, fetch: meddling });
    expect(run.code).toBe(1);
    expect(run.err.join('\n')).toContain(words);
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('jobforge job download of a job', () => {
  it('writes a result that its record holds, once there is one', async () => {
    const { job, url, execution } = await running();
    const path = join(inFolder(), 'result.json');
    const download = ['job', 'download', job.id, '--output', path];
    const early = await runJobforge(url, download, { saveFile });
    expect(early.code).toBe(1);
    expect(early.err.join('\n')).toContain(`The job ${job.id} has no result: it is running.`);
    execution.succeed({ small: true });
    await job.result();
    expect(await runJobforge(url, download, { saveFile })).toMatchObject({ code: 0 });
    expect(readFileSync(path, 'utf8')).toBe('{"small":true}');
  });
});
