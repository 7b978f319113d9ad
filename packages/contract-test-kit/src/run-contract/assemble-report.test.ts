import { describe, expect, it } from 'vitest';
import { REQUIREMENTS, type Requirement } from '../requirements/requirement.js';
import { assembleReport } from './assemble-report.js';
import { resolveRunOptions } from './options.js';

const [known] = REQUIREMENTS;

/** The report of a run in which this requirement alone was judged, and broken. */
function reportOfBroken(changes: Partial<Requirement>) {
  if (!known) throw new Error('there are no requirements');
  return assembleReport({
    target: { kind: 'url', url: 'http://127.0.0.1:1' },
    options: resolveRunOptions({ environment: {} }),
    description: {
      name: 'r',
      version: '1.0.0',
      capabilities: [],
      features: [],
      maxConcurrency: undefined,
      source: 'manifest',
    },
    deliveries: ['push'],
    judged: [
      {
        requirement: { ...known, ...changes },
        outcome: { kind: 'broken', finding: { expected: 'this', actual: 'that' } },
        durationMs: 1,
        runnerEnded: false,
        delivery: 'push',
        over: [{ delivery: 'push', kind: 'broken' }],
      },
    ],
    startedAt: new Date(0),
    durationMs: 1,
  });
}

describe('a broken requirement', () => {
  it.each([
    ['MUST', 'failed', false],
    ['SHOULD', 'warned', true],
  ] as const)('that is a %s is %s', (level, status, conformant) => {
    const report = reportOfBroken({ level });
    expect(report).toMatchObject({ conformant, ok: conformant, results: [{ status }] });
    expect(report.results[0]).not.toHaveProperty('scored');
  });

  it('that is a MAY concerns nobody, and the reason says so', () => {
    const [result] = reportOfBroken({ level: 'MAY' }).results;
    expect(result).toMatchObject({ status: 'not-applicable', reason: expect.stringContaining('may') });
    expect(result).not.toHaveProperty('finding');
  });

  it('that came after its contract version is told and does not count', () => {
    const report = reportOfBroken({ id: 'health.came-later' });
    expect(report).toMatchObject({ conformant: true, ok: true });
    expect(report.results).toMatchObject([
      { status: 'failed', scored: false, breaksConformance: false, finding: { actual: 'that' } },
    ]);
  });
});
