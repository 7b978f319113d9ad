import { describe, expect, it } from 'vitest';
import { REQUIREMENTS, type Requirement } from '../requirements/requirement.js';
import type { Target } from '../target/target.js';
import { assembleReport } from './assemble-report.js';
import { resolveRunOptions } from './options.js';

const [known] = REQUIREMENTS;

/** The report of a run in which this requirement alone was judged, and broken. */
function reportOfBroken(
  changes: Partial<Requirement>,
  target: Target = { kind: 'url', url: 'http://127.0.0.1:1' },
) {
  if (!known) throw new Error('there are no requirements');
  return assembleReport({
    target,
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

describe('the variables of an image', () => {
  it('stand in the report by their names alone, whatever these are', () => {
    const env = { MYSQL_PWD: `it's hunter2`, PLAIN: 'three plain words', 'not a name': 'x' };
    const report = reportOfBroken({}, { kind: 'image', image: 'runner', env });
    const flags = `--image runner --env MYSQL_PWD --env PLAIN --env 'not a name'`;
    expect(report.target).toBe(flags);
    expect(report.results[0]?.finding?.again).toContain(`contract-test run ${flags} --run`);
    expect(JSON.stringify(report)).not.toMatch(/hunter2|plain words/);
  });
});
