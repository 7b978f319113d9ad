import { describe, expect, it } from 'vitest';
import { REQUIREMENTS } from '../requirements/requirement.js';
import type { JudgedCase, Outcome } from './judge-case.js';
import { mergeDeliveries } from './merge-deliveries.js';

const [requirement] = REQUIREMENTS;

function judged(outcome: Outcome): readonly JudgedCase[] {
  return requirement ? [{ requirement, outcome, durationMs: 2, runnerEnded: false }] : [];
}

const broken: Outcome = { kind: 'broken', finding: { expected: 'a', actual: 'b' } };

describe('what was judged over several deliveries', () => {
  it('counts as the worst of them, with the time of all', () => {
    const merged = mergeDeliveries(REQUIREMENTS, [
      { delivery: 'push', judged: judged({ kind: 'kept' }) },
      { delivery: 'websocket', judged: judged(broken) },
      { delivery: 'long-poll', judged: judged({ kind: 'not-applicable', reason: 'it does not poll' }) },
    ]);
    expect(merged).toMatchObject([
      {
        delivery: 'websocket',
        outcome: broken,
        durationMs: 6,
        over: [
          { delivery: 'push', kind: 'kept' },
          { delivery: 'websocket', kind: 'broken' },
        ],
      },
    ]);
    expect(merged).toHaveLength(1);
  });

  it('is kept where one delivery does not concern the runner', () => {
    const [merged] = mergeDeliveries(REQUIREMENTS, [
      { delivery: 'push', judged: judged({ kind: 'not-applicable', reason: 'no' }) },
      { delivery: 'websocket', judged: judged({ kind: 'kept' }) },
    ]);
    expect(merged?.outcome.kind).toBe('kept');
  });
});
