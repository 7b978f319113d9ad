import { envelopeOf } from '@controlplane/contracts';
import { describe, expect, it } from 'vitest';
import { readLine, readReply } from './execute-reply.js';

const reply = (status: number, body: unknown, retryAfter?: string) =>
  readReply({
    status,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    retryAfter,
    executionId: 'x',
    at: '2026-01-01T00:00:00.000Z',
  });
const full = envelopeOf('OUTPUT_INVALID', { service: 't' });

describe('a JSON reply', () => {
  it.each([
    [
      'success',
      200,
      { success: true, data: { a: 1 } },
      { event: { type: 'succeeded', data: { a: 1 }, executionTimeMs: 0 } },
    ],
    [
      'success without data',
      200,
      { success: true, executionTimeMs: 3 },
      { event: { type: 'succeeded', executionTimeMs: 3 } },
    ],
    [
      'failure with an envelope',
      500,
      { success: false, error: full },
      { event: { type: 'failed', error: { code: 'OUTPUT_INVALID' } } },
    ],
    [
      'failure with half an envelope',
      500,
      { success: false, error: { message: 'oh' } },
      { event: { type: 'failed', error: { code: 'EXECUTION_FAILED', message: 'oh' } } },
    ],
    [
      'failure without an envelope',
      500,
      { success: false },
      { event: { type: 'failed', error: { code: 'EXECUTION_FAILED' } } },
    ],
    [
      'busy',
      429,
      { success: false, error: envelopeOf('RUNNER_BUSY', { service: 't', retryAfter: 2 }) },
      { failure: { kind: 'refused', code: 'RUNNER_BUSY', retryAfterMs: 2_000 } },
    ],
    [
      'draining',
      503,
      { success: false, error: envelopeOf('RUNNER_DRAINING', { service: 't' }) },
      { failure: { kind: 'refused', code: 'RUNNER_DRAINING' } },
    ],
    [
      '429 from something in between',
      429,
      'Too many requests',
      { failure: { kind: 'refused', code: 'RUNNER_BUSY', retryAfterMs: undefined } },
    ],
    ['502 from a proxy', 502, '<html>Bad Gateway', { failure: { kind: 'broken' } }],
    ['504 from a proxy', 504, '{"message":"upstream timed out"}', { failure: { kind: 'broken' } }],
    [
      '502 from the runner itself',
      502,
      { success: false, error: { message: 'upstream' } },
      { event: { type: 'failed', error: { code: 'EXECUTION_FAILED' } } },
    ],
    ['a redirect', 302, '', { failure: { kind: 'protocol', error: { code: 'RUNNER_PROTOCOL_ERROR' } } }],
    ['not JSON', 200, '<html>', { failure: { kind: 'protocol' } }],
    ['JSON that is no reply', 200, { ok: 1 }, { failure: { kind: 'protocol' } }],
    ['success with an error status', 500, { success: true }, { failure: { kind: 'protocol' } }],
  ])('is read: %s', (...[, status, body, expected]) => {
    expect(reply(status, body)).toMatchObject(expected);
  });

  it('honours the retry-after header', () => {
    expect(reply(503, 'later', '3')).toMatchObject({ failure: { kind: 'refused', retryAfterMs: 3_000 } });
  });
});

describe('a line', () => {
  it('that is no event names its execution where it can be read', () => {
    expect(readLine('{"executionId":"x","type":"what"}')).toMatchObject({
      executionId: 'x',
      reply: { failure: { kind: 'protocol' } },
    });
    expect(readLine('nonsense')).toMatchObject({
      executionId: undefined,
      reply: { failure: { kind: 'protocol' } },
    });
  });
});
