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

  it('is its own where nearly everything is shared with the job before', () => {
    const first = JobSubmission.parse({ type: 't', payload: { type: 'c', data: {} } });
    const { payload } = first;
    const others: JobSubmission[] = [
      { ...first, type: 'u' },
      { ...first, priority: 51 },
      { ...first, payload: { ...payload, type: 'd' } },
      { ...first, payload: { ...payload, version: '2.0.0' } },
      { ...first, payload: { ...payload, options: { o: 1 } } },
      { ...first, payload: { ...payload, dataFile: { sha256: 'a'.repeat(64), bytes: 1 } } },
      { ...first, metadata: { ...first.metadata, userId: 'u' } },
      { ...first, retryPolicy: { ...first.retryPolicy, maxRetries: 0 } },
      { ...first, timeoutMs: 5 },
      { ...first, placement: { runner: 'a' } },
      { ...first, concurrency: { key: 'k', limit: 1, onConflict: 'queue' } },
      { ...first, webhook: { url: 'https://example.com/hook' } },
      { ...first, files: [{ name: 'a', sha256: 'a'.repeat(64), bytes: 1, contentType: 'text/plain' }] },
    ];
    for (const other of others) {
      for (const submission of [first, other, { ...other, payload: { ...other.payload, data: { n: 1 } } }])
        expect(toJobRequest('j', toJobRecord(submission))).toEqual({ ...submission, id: 'j' });
    }
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
