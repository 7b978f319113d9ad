import { ErrorEnvelope } from '@controlplane/contracts';
import { describe, expect, test } from 'vitest';
import { CapabilityError } from '../errors/capability-error.js';
import { toErrorEnvelope } from './error-mapping.js';

const place = { service: 'images', operation: 'image.resize@1.0.0' };
const boom = (): never => {
  throw new Error('reading this throws');
};
const getter = (key: string): object => Object.defineProperty(new Error('x'), key, { get: boom });
const selfCaused = new Error('I am my own cause');
selfCaused.cause = selfCaused;
const revoked = Proxy.revocable({}, {});
revoked.revoke();

const HOSTILE: ReadonlyArray<readonly [string, unknown]> = [
  ['undefined', undefined],
  ['null', null],
  ['a text', 'just text'],
  ['a number', 42],
  ['a bigint', 12n],
  ['a symbol', Symbol('s')],
  ['a function', () => 1],
  ['an empty object', {}],
  ['a bare object', Object.create(null)],
  ['a revoked proxy', revoked.proxy],
  ['a proxy that throws', new Proxy({}, { get: boom, has: boom, ownKeys: boom, getPrototypeOf: boom })],
  ['an error whose message throws', getter('message')],
  ['an error whose name throws', getter('name')],
  ['an error whose cause throws', getter('cause')],
  ['an error that caused itself', selfCaused],
  ['an error with a lone surrogate', new Error('\ud800')],
  ['an error with a huge message', new Error('x'.repeat(5_000_000))],
  ['an error with an object as message', Object.assign(new Error('x'), { message: { a: 1 } })],
  [
    'an AggregateError of thousands',
    new AggregateError(Array.from({ length: 5000 }, (_, index) => new Error(`${index}`))),
  ],
  ['a CapabilityError with an empty code', new CapabilityError('', 'x')],
  ['a CapabilityError with an endless code', new CapabilityError('X'.repeat(5000), 'x')],
  [
    'a CapabilityError with unusable options',
    new CapabilityError('X', 'x', {
      category: 'NONE',
      severity: 7,
      retryAfter: Number.NaN,
      details: [null, { message: 1 }],
    } as never),
  ],
  [
    'a CapabilityError whose options throw',
    Object.defineProperty(new CapabilityError('X', 'x'), 'options', { get: boom }),
  ],
];

describe('toErrorEnvelope', () => {
  test.each(HOSTILE)('makes a valid, small envelope of %s', (_name, thrown) => {
    const envelope = toErrorEnvelope(thrown, place);
    expect(ErrorEnvelope.safeParse(envelope).error).toBeUndefined();
    expect(JSON.stringify(envelope).length).toBeLessThan(40_000);
  });

  test('keeps the chain of causes, outermost first, at most ten', () => {
    let error = new Error('root');
    for (let level = 1; level < 30; level++) error = new Error(`level ${level}`, { cause: error });
    const { message, causes } = toErrorEnvelope(error, place);
    expect(message).toBe('level 29');
    expect(causes).toHaveLength(10);
    expect(causes?.[1]).toEqual({ name: 'Error', message: 'level 28' });
  });

  test('makes an ordinary error a retryable EXECUTION_FAILED with its name and code', () => {
    const error = Object.assign(new TypeError('connect failed'), { code: 'ECONNREFUSED' });
    expect(toErrorEnvelope(error, place)).toMatchObject({
      code: 'EXECUTION_FAILED',
      category: 'RUNTIME_ERROR',
      retryable: true,
      message: 'connect failed',
      service: 'images',
      operation: 'image.resize@1.0.0',
      causes: [{ name: 'TypeError', message: 'connect failed', code: 'ECONNREFUSED' }],
    });
  });

  test('takes a CapabilityError at its word', () => {
    const error = new CapabilityError('NOT_FOUND', 'no such image', {
      retryable: false,
      category: 'RESOURCE_NOT_FOUND',
      retryAfter: 3,
      remedy: 'upload it first',
      details: [{ path: ['input', 'url'], message: 'gone', value: { url: 'u', token: 't' } }],
      cause: new Error('404'),
    });
    expect(toErrorEnvelope(error, place)).toMatchObject({
      code: 'NOT_FOUND',
      category: 'RESOURCE_NOT_FOUND',
      retryable: false,
      retryAfter: 3,
      remedy: 'upload it first',
      details: [{ path: ['input', 'url'], message: 'gone', value: { url: 'u', token: '[redacted]' } }],
      causes: [{ name: 'Error', message: '404' }],
    });
  });

  test('lets a CapabilityError of its own code be retried unless it says otherwise', () => {
    expect(toErrorEnvelope(new CapabilityError('MY_CODE', 'x'), place)).toMatchObject({
      code: 'MY_CODE',
      retryable: true,
      category: 'RUNTIME_ERROR',
    });
    expect(toErrorEnvelope(new CapabilityError('VALIDATION_ERROR', 'x'), place)).toMatchObject({
      retryable: false,
      category: 'VALIDATION_ERROR',
    });
  });

  test('does not let a capability speak for the runner', () => {
    expect(toErrorEnvelope(new CapabilityError('RUNNER_BUSY', 'x'), place)).toMatchObject({
      code: 'EXECUTION_FAILED',
      causes: [{ code: 'RUNNER_BUSY' }],
    });
  });

  test('redacts what looks secret and sends no stack', () => {
    const error = new Error('login with password=hunter2 failed', { cause: { apiKey: 'abc' } });
    const text = JSON.stringify(toErrorEnvelope(error, place));
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain('abc');
    expect(text).not.toContain('error-mapping.test');
  });
});
