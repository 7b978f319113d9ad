import { describe, expect, it } from 'vitest';
import { compareReports, renderDifference } from './compare-reports.js';
import { finding, report, result } from './sample-report.fixture.js';

const failed = { status: 'failed', breaksConformance: true, finding } as const;
const known = { state: 'accepted', reason: 'why', expires: '2026-12-31' } as const;

const old = {
  ...report,
  results: [
    result('a.breaks', {}),
    result('a.mends', failed),
    result('a.goes', {}),
    result('a.stays-broken', failed),
    result('a.warns', { level: 'SHOULD' }),
    result('a.hides', failed),
    result('a.expires', { ...failed, known }),
    result('a.was-known', { level: 'SHOULD' }),
  ],
};
const now = {
  ...report,
  results: [
    result('a.breaks', failed),
    result('a.mends', {}),
    result('a.stays-broken', failed),
    result('a.warns', { level: 'SHOULD', status: 'warned', finding }),
    result('a.hides', { status: 'not-applicable', reason: 'declares less' }),
    result('a.expires', { ...failed, known: { ...known, state: 'expired' } }),
    result('a.was-known', { level: 'MUST' }),
    result('a.comes', {}),
    result('a.comes-broken', failed),
  ],
};

describe('compareReports', () => {
  const difference = compareReports(old, now);

  it('puts every change in its list', () => {
    expect(difference).toEqual({
      newFailures: ['a.breaks', 'a.expires', 'a.comes-broken'],
      newFindings: ['a.warns'],
      mended: ['a.mends'],
      noLongerJudged: ['a.hides'],
      gone: ['a.goes'],
      added: ['a.comes'],
      changedLevel: [{ id: 'a.was-known', from: 'SHOULD', to: 'MUST' }],
    });
  });

  it('is told with what was expected and found instead', () => {
    const text = renderDifference(difference, now);
    expect(text).toMatch(/new failures: 3 requirements\n {2}a\.breaks\n {6}expected {3}status <healthy>/);
    expect(text).toContain('a.was-known  SHOULD → MUST');
  });

  it('finds nothing between a report and itself', () => {
    expect(renderDifference(compareReports(now, now), now)).toBe('no difference\n');
  });
});
