import type { ContractReport, RequirementResult, ResultStatus } from './report.js';

export interface TextOptions {
  readonly color?: boolean;
}

const MARKS: Readonly<Record<ResultStatus, readonly [mark: string, ansi: number]>> = {
  passed: ['✓', 32],
  failed: ['✗', 31],
  warned: ['!', 33],
  'not-applicable': ['-', 90],
  'not-evaluable': ['?', 33],
  error: ['E', 35],
};

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Text of the runner as a terminal may show it: on one line, and without orders to the terminal. */
const printable = (text: string): string =>
  text.replaceAll(/\s*\r?\n\s*/g, ' ⏎ ').replaceAll(UNPRINTABLE, '\ufffd');

function findingRows(result: RequirementResult): string[] {
  const { finding, reason, status } = result;
  if (!finding)
    return status === 'not-evaluable' || status === 'error'
      ? [`      ${status === 'error' ? 'kit fault ' : 'not judged'} ${printable(reason ?? '')}`]
      : [];
  const rows: [string, string | undefined][] = [
    ['statement', result.statement],
    ['sent', printable(finding.sent)],
    ['expected', printable(finding.expected)],
    ['actual', printable(finding.actual)],
    ['again', finding.again],
    ['curl', finding.curl],
  ];
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [`      ${name.padEnd(9)}  ${value}`]));
}

/** Whether a result is told in a group with others of the same reason, and not on a line of its own. */
function isGrouped({ status, breaksConformance }: RequirementResult): boolean {
  return status === 'not-applicable' || (status === 'not-evaluable' && !breaksConformance);
}

/** Requirements that were not judged and need not be, grouped by the reason. */
function groupedRows(results: readonly RequirementResult[]): string[] {
  const groups = new Map<string, string[]>();
  for (const { status, reason = '', id } of results.filter(isGrouped)) {
    const title = `${status === 'not-applicable' ? 'not applicable' : 'not judged'}: ${printable(reason)}`;
    groups.set(title, [...(groups.get(title) ?? []), id]);
  }
  return [...groups].flatMap(([title, ids]) => [
    `  - ${plural(ids.length, 'requirement')} ${title}`,
    `      ${ids.join(' ')}`,
  ]);
}

function verdict(report: ContractReport): string {
  if (report.summary.error > 0)
    return `the kit failed in ${plural(report.summary.error, 'case')}; nothing is said of the runner there`;
  const claimed = report.profiles.filter((profile) => profile.claimed);
  const broken = claimed.filter((profile) => !profile.conformant).map(({ profile }) => profile);
  if (broken.length > 0) return `not conformant: ${broken.join(', ')}`;
  return claimed.length === 0
    ? 'nothing was judged'
    : `conformant: ${claimed.map(({ profile }) => profile).join(', ')}`;
}

function summaryLine({ summary }: ContractReport): string {
  const parts = [`${summary.passed} passed`, `${summary.failed} failed`, plural(summary.warned, 'warning')];
  if (summary.notEvaluable > 0) parts.push(`${summary.notEvaluable} not judged`);
  if (summary.error > 0) parts.push(`${summary.error} kit faults`);
  return [...parts, `${summary.notApplicable} not applicable`].join(' · ');
}

/** The report for a person. */
export function renderText(report: ContractReport, { color = false }: TextOptions = {}): string {
  const paint = (code: number, text: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const profiles = [...new Set(report.results.map(({ profile }) => profile))].join(', ');
  const { runner } = report;
  const lines = [
    `contract ${report.contract} · ${profiles} · ${plural(report.results.length, 'requirement')}`,
  ];
  if (runner.source !== 'nowhere')
    lines.push(
      printable(
        `runner ${runner.name} ${runner.version} · features ${runner.features.join(', ') || 'none'} (from its ${runner.source})`,
      ),
    );
  lines.push('');
  for (const result of report.results) {
    if (isGrouped(result)) continue;
    const [mark, ansi] = MARKS[result.status];
    lines.push(
      `  ${paint(ansi, mark)} ${result.id.padEnd(42)} ${result.level.padEnd(6)} ${String(Math.round(result.durationMs)).padStart(6)} ms`,
    );
    lines.push(...findingRows(result));
  }
  lines.push(...groupedRows(report.results), '');
  lines.push(`  ${summaryLine(report).padEnd(60)}   ${paint(report.conformant ? 32 : 31, verdict(report))}`);
  lines.push(`  ${(report.durationMs / 1000).toFixed(1)} s · seed ${report.seed}`);
  return `${lines.join('\n')}\n`;
}
