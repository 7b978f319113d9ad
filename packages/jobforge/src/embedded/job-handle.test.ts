import { describe, expect, it } from 'vitest';
import { toSubmission, type JobInput } from './job-handle.js';

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
