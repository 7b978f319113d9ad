import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import type { ContractReport } from './report.js';
import { report, result } from './sample-report.fixture.js';
import { renderSarif } from './sarif-reporter.js';
import { SARIF_SCHEMA } from './sarif-schema.fixture.js';

interface SarifLog {
  runs: {
    tool: { driver: { rules: { id: string }[] } };
    invocations: { executionSuccessful: boolean }[];
    results: {
      ruleId: string;
      ruleIndex: number;
      level: string;
      suppressions?: unknown[];
      locations: { physicalLocation: { artifactLocation: { uri: string } } }[];
    }[];
  }[];
}

const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, allErrors: true });
addFormats.default(ajv);
const validate = ajv.compile(SARIF_SCHEMA);

function runOf(shown: ContractReport) {
  const log: unknown = JSON.parse(renderSarif(shown));
  validate(log);
  expect(validate.errors ?? []).toEqual([]);
  const [run] = (log as SarifLog).runs;
  if (!run) throw new Error('no run');
  return run;
}

describe('the SARIF report', () => {
  it('has a rule for each requirement and a result for each that is broken, by its level', () => {
    const { tool, results } = runOf(report);
    expect(tool.driver.rules).toHaveLength(report.results.length);
    expect(results.map(({ ruleId, level }) => [ruleId, level])).toEqual([
      ['health.failed', 'error'],
      ['health.warned', 'warning'],
      ['health.missing', 'error'],
    ]);
    for (const { ruleId, ruleIndex } of results) expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
  });

  it('says that the kit failed, and accuses no runner of it', () => {
    const { invocations, results } = runOf(report);
    expect(invocations[0]).toMatchObject({
      executionSuccessful: false,
      toolExecutionNotifications: [{ associatedRule: { id: 'health.fault' } }],
    });
    expect(results.map(({ ruleId }) => ruleId)).not.toContain('health.fault');
  });

  it('suppresses a known failure until it expires', () => {
    const known = (state: 'accepted' | 'expired') => ({ state, reason: 'why', expires: '2026-12-31' });
    const failed = { status: 'failed', breaksConformance: true } as const;
    const { results } = runOf({
      ...report,
      results: [
        result('a.accepted', { ...failed, known: known('accepted') }),
        result('a.expired', { ...failed, known: known('expired') }),
      ],
    });
    expect(results.map(({ suppressions }) => suppressions?.length ?? 0)).toEqual([1, 0]);
  });

  it.each([
    ["--command 'python3 ./src/runner.py --flag'", 'src/runner.py'],
    ["--command 'node dist/runner.js'", 'dist/runner.js'],
    ["--command '/usr/bin/node /srv/runner.js'", '.'],
    ['--url http://127.0.0.1:3000', '.'],
  ])('shows findings at the program: %s', (target, uri) => {
    const [first] = runOf({ ...report, target }).results;
    expect(first?.locations[0]?.physicalLocation.artifactLocation.uri).toBe(uri);
  });
});
