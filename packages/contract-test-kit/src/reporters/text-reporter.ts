import type { ContractReport, RequirementResult, ResultStatus } from './report.js';
import {
  countsText,
  findingRows,
  knownText,
  plural,
  printable,
  runnerText,
  skippedText,
  verdictText,
} from './report-words.js';

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

function rowsUnder(result: RequirementResult): string[] {
  const { finding, known, reason = '', status } = result;
  const rows: string[] = known ? [`      ${knownText(known)}`] : [];
  if (finding) rows.push(...findingRows(result).map(([label, text]) => `      ${label.padEnd(9)}  ${text}`));
  else if (status === 'not-evaluable' || status === 'error')
    rows.push(`      ${status === 'error' ? 'kit fault ' : 'not judged'} ${printable(reason)}`);
  return rows;
}

/** Whether a result is told in a group with others of the same reason, and not on a line of its own. */
function isGrouped({ status, breaksConformance, known }: RequirementResult): boolean {
  if (known) return false;
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

/** The report for a person. */
export function renderText(report: ContractReport, { color = false }: TextOptions = {}): string {
  const paint = (code: number, text: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const profiles = report.profiles.map(({ profile }) => profile).join(', ');
  const runner = runnerText(report);
  const lines = [
    `contract ${report.contract} · ${profiles} · ${plural(report.results.length, 'requirement')}`,
    ...(runner === undefined ? [] : [runner]),
    ...skippedText(report),
    '',
  ];
  for (const result of report.results) {
    if (isGrouped(result)) continue;
    const [mark, ansi] = MARKS[result.status];
    lines.push(
      `  ${paint(ansi, mark)} ${result.id.padEnd(42)} ${result.level.padEnd(6)} ${String(Math.round(result.durationMs)).padStart(6)} ms${result.scored === false ? '  not scored yet' : ''}`,
    );
    lines.push(...rowsUnder(result));
  }
  lines.push(...groupedRows(report.results), '');
  lines.push(`  ${countsText(report).padEnd(60)}   ${paint(report.ok ? 32 : 31, verdictText(report))}`);
  lines.push(`  ${(report.durationMs / 1000).toFixed(1)} s · seed ${report.seed}`);
  return `${lines.join('\n')}\n`;
}
