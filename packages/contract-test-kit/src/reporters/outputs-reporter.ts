import type { ContractReport } from './report.js';

/**
 * The verdict and the counts as `NAME=value` lines, which CI systems read as a job's outputs. Values are numbers,
 * `true` and `false`: nothing that a runner says gets in.
 */
export function renderOutputs({ ok, conformant, summary, results }: ContractReport): string {
  const rows = {
    CONTRACT_OK: ok,
    CONTRACT_CONFORMANT: conformant,
    CONTRACT_PASSED: summary.passed,
    CONTRACT_FAILED: summary.failed,
    CONTRACT_WARNED: summary.warned,
    CONTRACT_NOT_JUDGED: summary.notEvaluable,
    CONTRACT_KNOWN: results.filter(({ known }) => known?.state === 'accepted').length,
  };
  return Object.entries(rows)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
