import { JobBatchSubmission, JobSubmission } from '@controlplane/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainSubmission } from './plain-submission.js';

const job = {
  id: 'job-1',
  type: 'mail',
  payload: { type: 'send', data: { to: ['a'], again: { and: null } } },
};

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    '',
    'a',
    '.',
    '..',
    'a b',
    'x'.repeat(128),
    'x'.repeat(129),
    0,
    [],
    {},
  ),
  fc.constantFrom<unknown>(JSON.parse('{"__proto__":{"a":1}}'), { type: 'send', data: [] }, { data: {} }),
  fc.jsonValue(),
);
const members = [
  'id',
  'type',
  'payload',
  'priority',
  'metadata',
  'retryPolicy',
  'timeoutMs',
  'files',
  '__proto__',
];

/** A submission with a member that is left out, added or replaced, at the top or in its payload; as JSON gives it. */
const changed = fc
  .record({
    inside: fc.boolean(),
    member: fc.oneof(fc.constantFrom(...members, 'data', 'version', 'options', 'dataFile'), fc.string()),
    value: odd,
    left: fc.option(fc.constantFrom('id', 'type', 'payload', 'data')),
  })
  .map(({ inside, member, value, left }) => {
    const change = (whole: object): object => {
      const kept = Object.entries(whole).filter(([name]) => name !== left && name !== member);
      const text = [...kept, [member, value] as const]
        .filter(([, one]) => one !== undefined)
        .map(([name, one]) => `${JSON.stringify(name)}:${JSON.stringify(one)}`);
      return JSON.parse(`{${text.join(',')}}`) as object;
    };
    return inside ? { ...job, payload: change(job.payload) } : change(job);
  });

/** Without the moment at which it was read. */
function timeless(read: unknown): unknown {
  return JSON.parse(
    JSON.stringify(read, (name, value: unknown) => (name === 'createdAt' ? typeof value : value)),
  );
}

describe('a submission that needs no schema', () => {
  it('is one of an id, a type and an input, as the schema gives it back', () => {
    const { id: _, ...nameless } = job;
    for (const plain of [job, nameless]) {
      const read = plainSubmission('submitJob', plain);
      expect(timeless(read)).toEqual(timeless(JobSubmission.parse(plain)));
      expect(read).toMatchObject({ metadata: { createdAt: expect.stringMatching(/^20.*Z$/) as string } });
    }
  });

  it('may be many of them', () => {
    const body = { jobs: [job, { ...job, id: 'job-2' }] };
    const read = plainSubmission('submitJobs', body);
    expect(timeless(read)).toEqual(timeless(JobBatchSubmission.parse(body)));
    expect(plainSubmission('submitJobs', { jobs: [] })).toBeUndefined();
    expect(plainSubmission('submitJobs', { ...body, more: 1 })).toBeUndefined();
    expect(plainSubmission('submitJobs', { jobs: [job, { ...job, priority: 1 }] })).toBeUndefined();
    expect(plainSubmission('submitJobs', { jobs: Array.from({ length: 1001 }, () => job) })).toBeUndefined();
  });

  it('is no body of another endpoint', () => {
    expect(plainSubmission('heartbeat', job)).toBeUndefined();
  });

  it('is never another than the schema makes of it', () => {
    fc.assert(
      fc.property(changed, (value) => {
        const plain = plainSubmission('submitJob', value);
        if (plain !== undefined) expect(timeless(plain)).toEqual(timeless(JobSubmission.parse(value)));
      }),
      { numRuns: 10_000 },
    );
  });
});
