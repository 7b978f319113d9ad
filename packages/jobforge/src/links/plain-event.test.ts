import fc from 'fast-check';
import { ExecutionEvent } from '@controlplane/contracts';
import { describe, expect, it } from 'vitest';
import { plainEvent } from './plain-event.js';

const accepted = { type: 'accepted', executionId: '01M80E526W', seq: 0, at: '2026-11-22T01:32:56.023Z' };
const succeeded = {
  ...accepted,
  type: 'succeeded',
  seq: 1,
  executionTimeMs: 2.5,
  runnerId: 'r',
  data: { a: 1 },
};

/** Values that stand in an event, and some that may not. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, -1, 0.5, '', '.', 'a b', 'succeeded', 'accepted', 'failed'),
  fc.constantFrom(
    '2026-02-30T00:00:00.000Z',
    '2026-11-31T00:00:00.000Z',
    '2026-11-22',
    '2026-13-01T00:00:00.000Z',
  ),
  fc.jsonValue(),
  fc.nat(),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
);
const changed = fc
  .record({
    event: fc.constantFrom(accepted, succeeded),
    member: fc.oneof(fc.constantFrom(...Object.keys(succeeded), 'droppedEvents', '__proto__'), fc.string()),
    value: odd,
    left: fc.option(fc.constantFrom(...Object.keys(succeeded))),
  })
  .map(({ event, member, value, left }) => {
    const entries = Object.entries({ ...event }).filter(([name]) => name !== left);
    // As it is after JSON: what is undefined is not there.
    return JSON.parse(JSON.stringify(Object.fromEntries([...entries, [member, value]]))) as unknown;
  });

describe('an event that needs no schema', () => {
  it('is the two that every execution has', () => {
    expect(plainEvent(accepted)).toBe(accepted);
    expect(plainEvent(succeeded)).toBe(succeeded);
    expect(plainEvent({ ...succeeded, data: undefined })).toBeUndefined();
  });

  it('is none with a member that the schema leaves out, fills in or refuses', () => {
    const { executionTimeMs: _, ...timeless } = succeeded;
    for (const event of [
      { ...accepted, more: 1 },
      timeless,
      { ...succeeded, seq: -1 },
      { ...succeeded, executionTimeMs: Infinity },
      null,
      'accepted',
    ])
      expect(plainEvent(event)).toBeUndefined();
  });

  it('is what the schema gives back', () => {
    fc.assert(
      fc.property(changed, (value) => {
        const plain = plainEvent(value);
        if (plain === undefined) return;
        expect(ExecutionEvent.parse(value)).toEqual(plain);
        expect(Object.keys(ExecutionEvent.parse(value)).sort()).toEqual(Object.keys(plain).sort());
      }),
      { numRuns: 20_000 },
    );
  });
});
