import { escapeMarkup as xml } from './escape-markup.js';
import type { ContractReport, RequirementResult } from './report.js';
import { failsRun, findingRows, knownText } from './report-words.js';

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

function findingText(result: RequirementResult): string {
  const rows = findingRows(result).map(([label, text]) => `${label.padEnd(10)} ${text}`);
  return xml(rows.length > 0 ? rows.join('\n') : result.statement);
}

function messageOf({ finding, known, reason = '' }: RequirementResult): string {
  const message = finding ? `expected ${finding.expected}; got ${finding.actual}` : reason;
  if (!known) return xml(message);
  return xml(message === '' ? knownText(known) : `${knownText(known)} | ${message}`);
}

function failureType({ known, status, level }: RequirementResult): string {
  if (known?.state === 'stale') return 'stale-known-failure';
  return status === 'not-evaluable' ? status : level;
}

function outcome(result: RequirementResult): string {
  const { status, known } = result;
  const message = messageOf(result);
  if (status === 'error') return `<error type="kit" message="${message}"/>`;
  if (failsRun(result))
    return `<failure type="${failureType(result)}" message="${message}">${findingText(result)}</failure>`;
  if (status === 'not-applicable' || known?.state === 'accepted') return `<skipped message="${message}"/>`;
  if (status === 'not-evaluable') return `<skipped message="not judged: ${message}"/>`;
  return status === 'warned' || status === 'failed'
    ? `<system-out>${xml(status === 'failed' ? 'not scored: ' : 'warning: ')}${findingText(result)}</system-out>`
    : '';
}

function testCase(result: RequirementResult): string {
  const inner = outcome(result);
  const head = `    <testcase name="${xml(result.id)}" classname="contract.${result.profile}" time="${seconds(result.durationMs)}"`;
  return inner === '' ? `${head}/>` : `${head}>${inner}</testcase>`;
}

function suite(profile: string, results: readonly RequirementResult[], report: ContractReport): string {
  const cases = results.map(testCase);
  const count = (tag: string): number => cases.filter((text) => text.includes(`<${tag} `)).length;
  const time = seconds(results.reduce((sum, { durationMs }) => sum + durationMs, 0));
  const attributes = `name="contract ${xml(report.contract)} ${profile}" tests="${results.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}" time="${time}" timestamp="${report.startedAt}"`;
  return `  <testsuite ${attributes}>\n${cases.join('\n')}\n  </testsuite>`;
}

/**
 * The report as JUnit XML: a suite for each profile, a test case for each requirement. What fails the run is a
 * failure, a known failure is skipped, a fault of the kit is an error.
 */
export function renderJunit(report: ContractReport): string {
  const profiles = [...new Set(report.results.map(({ profile }) => profile))];
  const suites = profiles.map((profile) =>
    suite(
      profile,
      report.results.filter((result) => result.profile === profile),
      report,
    ),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="contract-test" time="${seconds(report.durationMs)}">\n${suites.join('\n')}\n</testsuites>\n`;
}
