import { describe, expect, it } from 'vitest';
import { KnownFailuresInvalid, noteOf, parseKnownFailures } from './known-failures.js';

const entry = { id: 'health.answers', reason: 'waits for 2.0', expires: '2026-12-31' };
const file = (...entries: unknown[]): string => JSON.stringify({ knownFailures: entries });

describe('parseKnownFailures', () => {
  it('reads YAML', () => {
    const text =
      'knownFailures:\n  - id: health.answers\n    reason: waits for 2.0\n    expires: 2026-12-31\n    issue: https://example.com/7\n';
    expect(parseKnownFailures(text)).toEqual([{ ...entry, issue: 'https://example.com/7' }]);
  });

  it.each([
    ['knownFailures: [', 'is not YAML'],
    ['', 'An entry is'],
    [file({ ...entry, reason: undefined }), 'knownFailures.0.reason'],
    [file({ ...entry, expires: 'soon' }), 'knownFailures.0.expires'],
    [file({ ...entry, id: 'health.*' }), 'no requirement "health.*"'],
    [file(entry, entry), 'twice'],
    [file({ ...entry, until: 'x' }), 'until'],
  ])('refuses %j', (text, message) => {
    expect(() => parseKnownFailures(text)).toThrow(KnownFailuresInvalid);
    expect(() => parseKnownFailures(text)).toThrow(message);
  });
});

describe('noteOf', () => {
  const lastDay = new Date('2026-12-31T23:59:59Z');
  const dayAfter = new Date('2027-01-01T00:00:00Z');
  it.each([
    ['failed', lastDay, 'accepted'],
    ['warned', lastDay, 'accepted'],
    ['failed', dayAfter, 'expired'],
    ['passed', lastDay, 'stale'],
    ['passed', dayAfter, 'stale'],
    ['not-applicable', lastDay, 'unused'],
    ['error', lastDay, 'unused'],
    ['not-applicable', dayAfter, 'expired'],
  ] as const)('%s on %s is %s', (status, day, state) => {
    expect(noteOf(entry, status, day).state).toBe(state);
  });
});
