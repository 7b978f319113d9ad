import { readFile } from 'node:fs/promises';
import { compareReports, renderDifference } from '../reporters/compare-reports.js';
import { isReportFormat, REPORT_FORMATS, renderReport } from '../reporters/formats.js';
import { createRedactor, redactReport } from '../reporters/redact-report.js';
import { ContractReport, REPORT_SCHEMA_VERSION } from '../reporters/report.js';
import { EXIT, UsageError } from './exit-codes.js';
import type { Terminal } from './terminal.js';

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${path} is not JSON; write the report with --report json=${path}`);
  }
}

async function readReport(path: string): Promise<ContractReport> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new UsageError(`${path} cannot be read (${error.message})`);
  });
  const parsed = ContractReport.safeParse(parseJson(path, text));
  if (parsed.success) return redactReport(parsed.data, createRedactor([]));
  const [issue] = parsed.error.issues;
  throw new UsageError(
    `${path} is no JSON report of version ${REPORT_SCHEMA_VERSION}: ${issue?.path.join('.') || '(whole)'}: ${issue?.message}`,
  );
}

/** `contract-test report FILE`: writes a JSON report again, in another form. */
export async function reportCommand(
  path: string,
  { as }: { readonly as: string },
  { out, color }: Terminal,
): Promise<number> {
  if (!isReportFormat(as)) throw new UsageError(`--as takes ${REPORT_FORMATS.join(', ')}, not "${as}"`);
  out(renderReport(await readReport(path), as, { color }));
  return EXIT.conformant;
}

/** `contract-test diff OLD NEW`: what changed between two JSON reports. Exits 1 when something fails that did not. */
export async function diffCommand(
  [oldPath, newPath]: readonly [string, string],
  { json = false }: { readonly json?: boolean },
  { out }: Terminal,
): Promise<number> {
  const [old, now] = [await readReport(oldPath), await readReport(newPath)];
  const difference = compareReports(old, now);
  out(json ? `${JSON.stringify(difference, null, 2)}\n` : renderDifference(difference, now));
  return difference.newFailures.length > 0 ? EXIT.notConformant : EXIT.conformant;
}
