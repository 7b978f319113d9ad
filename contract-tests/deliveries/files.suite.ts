import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  defineCapability,
  isRunnerError,
  type ArtifactContent,
  type Capability,
} from '@controlplane/runner-sdk';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { OpenStage, Stage } from './stage.js';

const MEGABYTE = 1024 * 1024;
const words = { version: '1.0.0', description: 'Leaves files.', input: z.object({}) };

/** A capability that leaves what it is given, and says what came of it. */
const leaves = (content: () => ArtifactContent, contentType?: string): Capability =>
  defineCapability({
    ...words,
    id: 'leave',
    async execute(_input, ctx) {
      const { bytes, sha256 } = await ctx.artifact('left.bin', content(), { contentType });
      return { bytes, sha256 };
    },
  }) as Capability;

async function onStage(fresh: OpenStage, capability: Capability, limits = {}): Promise<Stage> {
  const stage = await fresh(limits);
  await stage.runner({ capabilities: [capability] });
  return stage;
}

const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

async function read({ forge }: Stage, jobId: string): Promise<{ content: Buffer; type: string | null }> {
  const reply = await fetch(`${forge.url}/jobs/${jobId}/artifacts/left.bin`);
  const content = Buffer.from(await reply.arrayBuffer());
  return { content, type: reply.headers.get('content-type') };
}

/** Files that executions leave. */
export function files(fresh: OpenStage): void {
  const inFile = async (content: Uint8Array): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'stage-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const path = join(folder, 'file');
    await writeFile(path, content);
    return path;
  };
  const large = Buffer.alloc(5 * MEGABYTE, 'abcdefg');

  it.each<[string, (path: string) => ArtifactContent, Buffer]>([
    ['bytes', () => Buffer.from([0, 1, 2, 255]), Buffer.from([0, 1, 2, 255])],
    ['text', () => 'Grüße', Buffer.from('Grüße')],
    ['nothing', () => '', Buffer.alloc(0)],
    ['a file', (path) => ({ path }), large],
    ['a stream', () => Readable.from([large.subarray(0, MEGABYTE), large.subarray(MEGABYTE)]), large],
  ])('leaves %s with the job', async (_, content, expected) => {
    const path = await inFile(large);
    const stage = await onStage(
      fresh,
      leaves(() => content(path), 'application/x-stage'),
    );
    const job = await stage.submit('leave');
    const result = await job.result();
    expect(result).toMatchObject({ data: { bytes: expected.length, sha256: sha256(expected) } });
    const { content: left, type } = await read(stage, job.id);
    expect(type).toBe('application/x-stage');
    expect(left.equals(expected)).toBe(true);
  });

  it('says why a file is not taken', async () => {
    const tooLarge = leaves(() => Buffer.alloc(2_000));
    const stage = await onStage(fresh, tooLarge, { maxArtifactBytes: 1_000 });
    const { error } = await (await stage.submit('leave')).result();
    expect(error?.message).toContain(
      'PAYLOAD_TOO_LARGE: The artifact left.bin is larger than the limit of 1000',
    );
  });

  it('says what cannot be read, and leaves nothing of it', async () => {
    const caught: unknown[] = [];
    const unreadable = defineCapability({
      ...words,
      id: 'leave',
      async execute(_input, ctx) {
        async function* breaking() {
          yield 'half';
          await Promise.reject(new Error('out of paper'));
        }
        for (const content of [{ path: '/no/such/file' }, breaking()])
          await ctx.artifact('left.bin', content).catch((error: unknown) => caught.push(error));
        await ctx.artifact('../left', 'x').catch((error: unknown) => caught.push(error));
      },
    }) as Capability;
    const stage = await onStage(fresh, unreadable);
    const job = await stage.submit('leave');
    expect(await job.result()).toMatchObject({ success: true });
    expect(caught.every((error) => isRunnerError(error, 'ARTIFACT_REFUSED'))).toBe(true);
    expect(caught.map((error) => (error as Error).message)).toEqual([
      expect.stringContaining('ENOENT'),
      expect.stringContaining('out of paper'),
      expect.stringContaining('"../left" cannot be the name of an artifact'),
    ]);
    const listed = await fetch(`${stage.forge.url}/jobs/${job.id}/artifacts`);
    expect(await listed.json()).toEqual([]);
  });

  it('gives up a file that nobody waits for when the handler returns', async () => {
    const rejected: unknown[] = [];
    let stop = (): void => undefined;
    const careless = defineCapability({
      ...words,
      id: 'leave',
      async execute(_input, ctx) {
        const begun = new Promise<void>((resolve) => {
          async function* endless() {
            for (let pieces = 0; pieces < 1_000; pieces += 1) {
              yield 'piece';
              resolve();
              await new Promise((next) => setImmediate(next));
            }
          }
          ctx.artifact('left.bin', endless()).catch((error: unknown) => {
            rejected.push(error);
            stop();
          });
        });
        await begun;
      },
    }) as Capability;
    const stage = await onStage(fresh, careless);
    const stopped = new Promise<void>((resolve) => (stop = resolve));
    const job = await stage.submit('leave');
    expect(await job.result()).toMatchObject({ success: true });
    await stopped;
    expect(rejected).toHaveLength(1);
    expect((await read(stage, job.id)).content.toString()).toContain('ARTIFACT_NOT_FOUND');
  });

  it('stops with the execution', async () => {
    let begin = (): void => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const slow = leaves(() =>
      (async function* () {
        yield 'first';
        begin();
        await new Promise(() => undefined);
      })(),
    );
    const stage = await onStage(fresh, slow);
    const job = await stage.submit('leave');
    await begun;
    await job.cancel();
    expect(await job.result()).toMatchObject({ success: false, error: { code: 'EXECUTION_CANCELLED' } });
  });
}
