import type { ContractReport, RequirementResult } from './report.js';
import {
  countsText,
  failsRun,
  findingRows,
  knownText,
  printable,
  runnerText,
  skippedText,
  verdictText,
} from './report-words.js';

/** Characters of a comment on a pull request; code hosts refuse longer ones at 65 536. */
const MAX_LENGTH = 60_000;

/** Text that Markdown and HTML leave as it is. */
function plain(text: string): string {
  return printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_[\]|~#@]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A fenced block whose fence is longer than any in the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}

function mark(result: RequirementResult): string {
  if (result.status === 'error') return '⚠️ kit fault';
  if (failsRun(result)) return result.known?.state === 'stale' ? '❌ stale' : '❌';
  return result.known?.state === 'accepted' ? '☑️ known' : '⚠️';
}

function section(result: RequirementResult): string {
  const { id, level, reason, statement, known } = result;
  const rows = findingRows(result).map(([label, text]) => `${label.padEnd(9)}  ${text}`);
  if (rows.length === 0) rows.push(statement, ...(reason === undefined ? [] : [printable(reason)]));
  const note = known ? `\n${plain(knownText(known))}\n` : '';
  return `<details><summary>${mark(result)} <code>${id}</code> ${level}</summary>\n${note}\n${fenced(rows.join('\n'))}\n\n</details>\n`;
}

function isTold(result: RequirementResult): boolean {
  return failsRun(result) || result.status === 'failed' || result.status === 'warned';
}

/** The report as Markdown, short enough for a comment on a pull request. */
export function renderMarkdown(report: ContractReport): string {
  const runner = runnerText(report);
  const lines = [
    `### ${report.ok ? '✅' : '❌'} Contract ${report.contract}: ${plain(verdictText(report))}`,
    '',
    ...(runner === undefined ? [] : [plain(runner), '']),
    ...skippedText(report).flatMap((skipped) => [plain(skipped), '']),
    countsText(report),
    '',
    '| Profile | |',
    '|---|---|',
    ...report.profiles.map(
      ({ profile, claimed, conformant }) =>
        `| ${profile} | ${claimed ? (conformant ? '✅ conformant' : '❌ not conformant') : 'not claimed'} |`,
    ),
    '',
  ];
  let text = lines.join('\n');
  const told = report.results.filter(isTold).toSorted((a, b) => Number(failsRun(b)) - Number(failsRun(a)));
  let left = told.length;
  for (const result of told) {
    const next = `\n${section(result)}`;
    if (text.length + next.length > MAX_LENGTH) break;
    text += next;
    left -= 1;
  }
  return left === 0 ? text : `${text}\n… and ${left} more: see the whole report.\n`;
}
