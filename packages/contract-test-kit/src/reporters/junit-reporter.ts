import type { ContractReport, RequirementResult } from './report.js';

/** Whether XML 1.0 knows the character: most controls and half surrogates it does not. */
function isXmlCharacter(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return code === 0x9 || code === 0xa || code === 0xd;
  return !(code >= 0xd800 && code <= 0xdfff) && code !== 0xfffe && code !== 0xffff;
}

/** Escapes text for XML 1.0. */
function xml(text: string): string {
  return Array.from(text, (character) => (isXmlCharacter(character) ? character : '\ufffd'))
    .join('')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;');
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

function findingText({ finding, statement }: RequirementResult): string {
  if (!finding) return xml(statement);
  const rows = [
    `statement  ${statement}`,
    `sent       ${finding.sent}`,
    `expected   ${finding.expected}`,
    `actual     ${finding.actual}`,
    `again      ${finding.again}`,
  ];
  return xml([...rows, ...(finding.curl ? [`curl       ${finding.curl}`] : [])].join('\n'));
}

function outcome(result: RequirementResult): string {
  const { status, finding, reason = '' } = result;
  const message = xml(finding ? `expected ${finding.expected}; got ${finding.actual}` : reason);
  switch (status) {
    case 'failed':
      return `<failure type="${result.level}" message="${message}">${findingText(result)}</failure>`;
    case 'not-evaluable':
      return result.breaksConformance
        ? `<failure type="not-evaluable" message="${message}"/>`
        : `<skipped message="${xml(`not judged: ${reason}`)}"/>`;
    case 'error':
      return `<error type="kit" message="${message}"/>`;
    case 'not-applicable':
      return `<skipped message="${message}"/>`;
    case 'warned':
      return result.breaksConformance
        ? `<failure type="SHOULD" message="${message}">${findingText(result)}</failure>`
        : `<system-out>${xml('warning: ')}${findingText(result)}</system-out>`;
    case 'passed':
      return '';
  }
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

/** The report as JUnit XML: a suite for each profile, a test case for each requirement. */
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
