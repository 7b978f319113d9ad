import type { ContractReport, RequirementResult } from './report.js';

/** A result that is kept, and whatever a test says otherwise. */
export const result = (id: string, more: Partial<RequirementResult>): RequirementResult => ({
  id,
  level: 'MUST',
  profile: 'core',
  section: '§4',
  statement: 'Health answers.',
  status: 'passed',
  durationMs: 12.3,
  breaksConformance: false,
  ...more,
});

export const finding = {
  sent: 'GET /health',
  expected: 'status <healthy> & "known"',
  actual: `a \u0000 control, a half \ud800 surrogate, ]]> and 'quotes'`,
  again: 'npx contract-test run --url http://127.0.0.1:1 --run health.answers --seed 7',
  curl: 'curl -sS http://127.0.0.1:1/health',
};

/** A report with a result of each kind. */
export const report: ContractReport = {
  schemaVersion: '1.0',
  contract: '1.0',
  target: '--url http://127.0.0.1:1',
  seed: 7,
  strict: false,
  startedAt: '2026-01-31T12:00:00.000Z',
  durationMs: 1234,
  runner: { name: 'r', version: '1.0.0', capabilities: ['a'], features: [], source: 'manifest' },
  conformant: false,
  ok: false,
  redactions: 0,
  profiles: [{ profile: 'core', claimed: true, conformant: false }],
  summary: { passed: 1, failed: 1, warned: 1, notApplicable: 1, notEvaluable: 2, error: 1 },
  results: [
    result('health.passed', {}),
    result('health.failed', { status: 'failed', breaksConformance: true, finding }),
    result('health.warned', { level: 'SHOULD', status: 'warned', finding }),
    result('health.left-out', { status: 'not-applicable', reason: 'needs --command' }),
    result('health.missing', {
      status: 'not-evaluable',
      breaksConformance: true,
      reason: 'no conformance.sleep',
    }),
    result('health.optional', { status: 'not-evaluable', reason: 'no fixtures' }),
    result('health.fault', { status: 'error', reason: 'TypeError: x' }),
  ],
};
