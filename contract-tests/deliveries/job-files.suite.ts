import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { defineCapability, isRunnerError, type Capability } from '@controlplane/runner-sdk';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { OpenStage } from './stage.js';

const words = { version: '1.0.0', description: 'Reads files.' };
const LARGE = Buffer.alloc(3 * 1024 * 1024, 'abcdefg');
const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** A capability that looks at the files of its job in every way that there is. */
const reads = (folder: string): Capability =>
  defineCapability({
    ...words,
    id: 'read',
    input: z.object({}),
    async execute(_input, ctx) {
      const path = join(folder, 'saved');
      await ctx.files.save('large.bin', path);
      const missing = await ctx.files.save('none', path).catch((error: unknown) => error);
      return {
        list: ctx.files.list(),
        small: await text(ctx.files.open('small.txt')),
        saved: sha256(await readFile(path)),
        left: await readdir(folder),
        missing: isRunnerError(missing, 'FILE_MISSING') && missing.message,
      };
    },
  }) as Capability;

/** Files that jobs bring, and inputs and results that travel as files. */
export function jobFiles(fresh: OpenStage): void {
  it('gives the handler the files of its job, as a stream and at a path', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stage-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const stage = await fresh();
    await stage.runner({ capabilities: [reads(folder)] });
    const files = { 'large.bin': LARGE, 'small.txt': { content: 'Grüße', contentType: 'text/plain' } };
    const { data, error } = await (await stage.submit('read', {}, { files })).result();
    expect(error).toBeUndefined();
    expect(data).toEqual({
      list: [
        {
          name: 'large.bin',
          bytes: LARGE.length,
          sha256: sha256(LARGE),
          contentType: 'application/octet-stream',
        },
        { name: 'small.txt', bytes: 7, sha256: sha256(Buffer.from('Grüße')), contentType: 'text/plain' },
      ],
      small: 'Grüße',
      saved: sha256(LARGE),
      left: ['saved'],
      missing: 'read@1.0.0: the job has no file "none"; it has large.bin, small.txt',
    });
  });

  it('carries an input of megabytes, which is checked as any other', async () => {
    const stage = await fresh();
    const measure = defineCapability({
      ...words,
      id: 'measure',
      input: z.object({ text: z.string().refine((said) => !said.endsWith('!'), 'no shouting') }),
      execute: async (input) => ({ length: input.text.length }),
    }) as Capability;
    await stage.runner({ capabilities: [measure] });
    const long = 'x'.repeat(6 * 1024 * 1024);
    expect(await (await stage.submit('measure', { text: long })).result()).toMatchObject({
      success: true,
      data: { length: long.length },
    });
    // JSON Schema cannot say what the schema of the handler does.
    expect(await (await stage.submit('measure', { text: `${long}!` })).result()).toMatchObject({
      success: false,
      error: { code: 'VALIDATION_ERROR', details: [{ path: ['input', 'text'], message: 'no shouting' }] },
    });
  });

  it('carries a result of megabytes, and shows it as any other as long as an answer can hold it', async () => {
    const stage = await fresh({ maxPayloadBytes: 8 * 1024 * 1024 });
    const write = defineCapability({
      ...words,
      id: 'write',
      input: z.object({ length: z.int() }),
      execute: async ({ length }) => ({ text: 'x'.repeat(length) }),
    }) as Capability;
    await stage.runner({ capabilities: [write] });
    const run = async (length: number) => {
      const job = await stage.submit('write', { length });
      const { data, error } = await job.result();
      const { result } = await job.show();
      return { error, length: (data as { text: string } | undefined)?.text.length, result };
    };
    const small = await run(1_000);
    expect(small).toMatchObject({ length: 1_000 });
    expect(small.result?.dataFile).toBeUndefined();
    const middle = await run(1024 * 1024);
    expect(middle).toMatchObject({ length: 1024 * 1024, result: { dataFile: { bytes: 1024 * 1024 + 11 } } });
    expect(middle.result?.data).toMatchObject({ text: expect.stringMatching(/^x+$/) as string });
    const large = await run(6 * 1024 * 1024);
    expect(large).toMatchObject({ length: 6 * 1024 * 1024, result: { success: true } });
    expect(large.result?.data).toBeUndefined();
    const tooLarge = await run(9 * 1024 * 1024);
    expect(tooLarge.error).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    expect(tooLarge.error?.message).toContain('at most 8388608 can be sent');
  });
}
