import { afterEach, describe, expect, it } from 'vitest';
import { openForges } from '../testing/open-forge.js';
import { createJobHandle, toSubmission, type JobInput } from './job-handle.js';

const test = openForges();
afterEach(test.close);

describe('a job as a program submits it', () => {
  it('is refused where it names what is not known, with what was probably meant', () => {
    const job = { capability: 'a', input: {}, timeoutMS: 5, shelf: {} } as unknown as JobInput;
    expect(() => toSubmission(job)).toThrow(
      expect.objectContaining({
        envelope: expect.objectContaining({
          code: 'VALIDATION_ERROR',
          message: expect.stringMatching(
            /^submit does not know "timeoutMS" \(did you mean "timeoutMs"\?\), "shelf" \(known: capability, /,
          ),
        }),
      }),
    );
  });
});

describe('the result of a job', () => {
  it('is waited for without reading what the job was given', async () => {
    const { forge } = await test.pair({
      form: 'ndjson',
      features: ['ndjson', 'cancel', 'files'],
      handle(execution) {
        execution.accept();
        execution.succeed('done');
      },
    });
    const text = 'x'.repeat(300_000);
    const job = await forge.submit({ capability: 'echo', input: { text } });
    const asked: unknown[] = [];
    const { showJob } = forge.operations;
    const operations: typeof forge.operations = {
      ...forge.operations,
      async showJob(id, options) {
        const shown = await showJob(id, options);
        asked.push(shown.request.payload.data);
        return shown;
      },
    };
    expect(await createJobHandle(operations, job.id).result()).toMatchObject({ success: true, data: 'done' });
    expect(new Set(asked.map((data) => JSON.stringify(data)))).toEqual(new Set(['{}']));
    expect((await job.show()).request.payload.data).toEqual({ text });
  });
});
