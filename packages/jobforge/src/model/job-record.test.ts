import { JobSubmission } from '@controlplane/contracts';
import { describe, expect, it } from 'vitest';
import { isSameRequest, toJobRecord, toJobRequest } from './job-record.js';

describe('a job record', () => {
  it.each([
    ['the shortest job', { type: 't', payload: { type: 'c', data: {} } }],
    [
      'a job with everything',
      {
        type: 't',
        priority: 7,
        timeoutMs: 5,
        payload: { type: 'c', version: '2.0.0', data: { __proto__x: 1 }, options: { o: 1 } },
        metadata: { userId: 'u', tags: ['a'], expiresAt: '2030-01-01T00:00:00Z' },
        retryPolicy: { maxRetries: 9, retryableCategories: [] },
      },
    ],
  ])('gives back %s as it was', (_, body) => {
    const submission = JobSubmission.parse(body);
    expect(toJobRequest('j', toJobRecord(submission))).toEqual({ ...submission, id: 'j' });
  });

  it('leaves out a retry policy that is the default', () => {
    expect(
      toJobRecord(JobSubmission.parse({ type: 't', payload: { type: 'c', data: {} } })).head,
    ).not.toContain('retryPolicy');
  });

  it('asks for the same in whichever span it was submitted, and not for whom', () => {
    const submission = (metadata: object): JobSubmission =>
      JobSubmission.parse({ type: 't', payload: { type: 'c', data: {} }, metadata });
    const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
    expect(isSameRequest(submission({ traceparent }), submission({}))).toBe(true);
    expect(isSameRequest(submission({ userId: 'u' }), submission({}))).toBe(false);
  });
});
