import { DurationMs, RunnerExecutionRequest } from '@controlplane/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainExecution } from './plain-execution.js';

const Body = RunnerExecutionRequest.extend({ timeoutMs: DurationMs.optional() });
const request = {
  jobId: 'job-1',
  moduleId: 'a runner',
  capabilityId: 'mail.send',
  payload: { to: ['a'], again: { and: null } },
  timeoutMs: 30_000,
  metadata: {},
  executionId: '01M80E526W',
  attempt: 1,
  leaseToken: 'secret',
  instanceId: 'process-1',
};

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    '',
    '.',
    '..',
    'a b',
    'x'.repeat(257),
    0,
    -1,
    0.5,
    2 ** 31,
    [],
    {},
  ),
  fc.constantFrom<unknown>(JSON.parse('{"__proto__":{"a":1}}'), { traceparent: 'x' }, { correlationId: 'a' }),
  fc.jsonValue(),
);
const names = [
  ...Object.keys(request),
  'secrets',
  'files',
  'checkpoint',
  'payloadFile',
  '__proto__',
  'toString',
];

/** A request with a member that is left out, added or replaced; as JSON gives it. */
const changed = fc
  .record({
    member: fc.oneof(fc.constantFrom(...names), fc.string()),
    value: odd,
    left: fc.option(fc.constantFrom(...names)),
  })
  .map(({ member, value, left }) => {
    const kept = Object.entries(request).filter(([name]) => name !== left && name !== member);
    const text = [...kept, [member, value] as const]
      .filter(([, one]) => one !== undefined)
      .map(([name, one]) => `${JSON.stringify(name)}:${JSON.stringify(one)}`);
    return JSON.parse(`{${text.join(',')}}`) as unknown;
  });

describe('an execution that needs no schema', () => {
  it('is what a control plane sends for an ordinary job', () => {
    expect(plainExecution(request)).toBe(request);
    const { timeoutMs: _, instanceId: __, ...less } = request;
    expect(plainExecution(less)).toBe(less);
  });

  it('is none with a member that the schema changes, fills in, leaves out or refuses', () => {
    const { metadata: _, ...bare } = request;
    for (const value of [
      bare,
      { ...request, more: 1 },
      { ...request, attempt: 0 },
      { ...request, jobId: '..' },
      null,
      'x',
    ])
      expect(plainExecution(value)).toBeUndefined();
  });

  it('is what the schema gives back', () => {
    fc.assert(
      fc.property(changed, (value) => {
        const plain = plainExecution(value);
        if (plain === undefined) return;
        expect(Body.parse(value)).toEqual(plain);
        expect(Object.keys(Body.parse(value)).sort()).toEqual(Object.keys(plain).sort());
      }),
      { numRuns: 10_000 },
    );
  });
});
