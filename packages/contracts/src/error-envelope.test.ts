import { describe, expect, it } from 'vitest';
import { ERROR_CODES, ErrorCategory, httpStatusOf, isErrorCode } from './error-codes.js';
import { createErrorEnvelope, envelopeOf, ErrorEnvelope } from './error-envelope.js';

const said = {
  category: 'RUNTIME_ERROR',
  severity: 'error',
  code: 'MY_ERROR_CODE',
  message: 'Something went wrong',
  service: 'my-runner',
  retryable: true,
} as const;

describe('createErrorEnvelope', () => {
  it('fills what an envelope promises', () => {
    const envelope = createErrorEnvelope(said);
    expect(ErrorEnvelope.parse(envelope)).toEqual(envelope);
    expect(envelope).toMatchObject({
      ...said,
      details: [],
      contractVersion: { major: 1, minor: 0, patch: 0 },
    });
    expect(Date.parse(envelope.timestamp)).not.toBeNaN();
  });

  it('gives each envelope an id of its own', () => {
    expect(createErrorEnvelope(said).id).not.toBe(createErrorEnvelope(said).id);
  });

  it('does not let its caller override identity', () => {
    const forged = { ...said, id: 'mine', timestamp: '2000-01-01T00:00:00Z', contractVersion: '9.0.0' };
    const envelope = createErrorEnvelope(forged);
    expect(envelope.id).not.toBe('mine');
    expect(envelope.timestamp.startsWith('2000')).toBe(false);
    expect(envelope.contractVersion.major).toBe(1);
  });

  it('refuses what is no envelope', () => {
    expect(() => createErrorEnvelope({ ...said, category: 'NO_SUCH' as 'RUNTIME_ERROR' })).toThrow(
      /category/,
    );
  });
});

describe('the error catalogue', () => {
  const entries = Object.entries(ERROR_CODES);

  it.each(entries)('%s is complete', (code, entry) => {
    expect(code).toMatch(/^[A-Z][A-Z_]+$/);
    expect(ErrorCategory.options).toContain(entry.category);
    expect(entry.httpStatus).toBeGreaterThanOrEqual(400);
    expect(entry.message).toMatch(/\.$/);
    expect(entry.remedy).toMatch(/\.$/);
  });

  it('makes valid envelopes that say its category, retryability and remedy', () => {
    for (const [code, entry] of entries) {
      if (!isErrorCode(code)) throw new Error(code);
      expect(envelopeOf(code, { service: 'test' })).toMatchObject({
        code,
        category: entry.category,
        retryable: entry.retryable,
        remedy: entry.remedy,
      });
    }
  });

  it('lets the place that failed say more', () => {
    const envelope = envelopeOf('JOB_NOT_FOUND', { service: 'jobforge', message: 'There is no job "x".' });
    expect(envelope.message).toBe('There is no job "x".');
  });

  it('is not overridden by what is left undefined', () => {
    const silent = { service: 'test', retryable: undefined, remedy: undefined, details: undefined } as const;
    expect(envelopeOf('RUNNER_BUSY', silent)).toMatchObject({
      retryable: true,
      remedy: ERROR_CODES.RUNNER_BUSY.remedy,
      details: [],
    });
  });

  it('knows the HTTP status of its own codes and answers 500 for others', () => {
    expect(httpStatusOf('LEASE_SUPERSEDED')).toBe(409);
    expect(httpStatusOf('MY_ERROR_CODE')).toBe(500);
    expect(httpStatusOf('toString')).toBe(500);
  });
});
