import type { ContractReport } from './report.js';

/** The report as one JSON document. */
export function renderJson(report: ContractReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}
