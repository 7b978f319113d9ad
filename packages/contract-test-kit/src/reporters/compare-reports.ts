import type { ContractReport, RequirementResult } from './report.js';
import { failsRun, findingRows, plural, printable } from './report-words.js';

/** What changed between two runs, by requirement id; a requirement is in one list, save for its level. */
export interface ReportDifference {
  /** Fails the run now and did not before: broken now, new and broken, or no longer an accepted failure. */
  readonly newFailures: readonly string[];
  /** Broken now, without failing the run: a SHOULD, or a failure that is accepted as known. */
  readonly newFindings: readonly string[];
  /** Was broken, is kept now. */
  readonly mended: readonly string[];
  /** Was judged, is not judged now. */
  readonly noLongerJudged: readonly string[];
  /** In the old report alone. */
  readonly gone: readonly string[];
  /** In the new report alone, and not failing. */
  readonly added: readonly string[];
  /** Another level than before. */
  readonly changedLevel: readonly { readonly id: string; readonly from: string; readonly to: string }[];
}

const isBroken = ({ status }: RequirementResult): boolean => status === 'failed' || status === 'warned';
const isJudged = (result: RequirementResult): boolean => isBroken(result) || result.status === 'passed';

type ListName = Exclude<keyof ReportDifference, 'changedLevel'>;

function listOf(old: RequirementResult | undefined, now: RequirementResult): ListName | undefined {
  if (failsRun(now) && !(old && failsRun(old))) return 'newFailures';
  if (!old) return 'added';
  if (isBroken(now) && !isBroken(old)) return 'newFindings';
  if (isBroken(old) && now.status === 'passed') return 'mended';
  return isJudged(old) && !isJudged(now) ? 'noLongerJudged' : undefined;
}

/** Compares two reports of the same runner. */
export function compareReports(old: ContractReport, now: ContractReport): ReportDifference {
  const before = new Map(old.results.map((result) => [result.id, result]));
  const ids = new Set(now.results.map(({ id }) => id));
  const inList = (name: ListName): string[] =>
    now.results.filter((result) => listOf(before.get(result.id), result) === name).map(({ id }) => id);
  return {
    newFailures: inList('newFailures'),
    newFindings: inList('newFindings'),
    mended: inList('mended'),
    noLongerJudged: inList('noLongerJudged'),
    gone: old.results.map(({ id }) => id).filter((id) => !ids.has(id)),
    added: inList('added'),
    changedLevel: now.results.flatMap(({ id, level }) => {
      const from = before.get(id)?.level;
      return from === undefined || from === level ? [] : [{ id, from, to: level }];
    }),
  };
}

const TITLES: Readonly<Record<ListName, string>> = {
  newFailures: 'new failures',
  newFindings: 'newly broken, without failing the run',
  mended: 'mended',
  noLongerJudged: 'no longer judged',
  gone: 'gone',
  added: 'added',
};

function rowsOf(result: RequirementResult | undefined): string[] {
  if (!result) return [];
  const rows = findingRows(result)
    .filter(([label]) => ['expected', 'actual', 'again'].includes(label))
    .map(([label, text]) => `      ${label.padEnd(9)}  ${text}`);
  return rows.length > 0 || result.reason === undefined ? rows : [`      ${printable(result.reason)}`];
}

/** The difference for a person. */
export function renderDifference(difference: ReportDifference, now: ContractReport): string {
  const results = new Map(now.results.map((result) => [result.id, result]));
  const lines: string[] = [];
  for (const name of Object.keys(TITLES) as ListName[]) {
    if (difference[name].length === 0) continue;
    lines.push(`${TITLES[name]}: ${plural(difference[name].length, 'requirement')}`);
    for (const id of difference[name])
      lines.push(`  ${id}`, ...(name === 'newFailures' ? rowsOf(results.get(id)) : []));
  }
  if (difference.changedLevel.length > 0) {
    lines.push(`changed level: ${plural(difference.changedLevel.length, 'requirement')}`);
    for (const { id, from, to } of difference.changedLevel) lines.push(`  ${id}  ${from} → ${to}`);
  }
  return lines.length === 0 ? 'no difference\n' : `${lines.join('\n')}\n`;
}
