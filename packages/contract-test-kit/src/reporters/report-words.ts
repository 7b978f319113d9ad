import type { ContractReport, KnownFailureNote, RequirementResult } from './report.js';

/** `2 cases`, `1 case`. */
export const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Text of the runner as it may be shown: on one line, and without orders to a terminal or a reader's eye. */
export const printable = (text: string): string =>
  text.replaceAll(/\s*\r?\n\s*/g, ' ⏎ ').replaceAll(UNPRINTABLE, '\ufffd');

/** Whether a result alone makes the run fail. */
export function failsRun({ status, breaksConformance, known }: RequirementResult): boolean {
  if (status === 'error' || known?.state === 'expired' || known?.state === 'stale') return true;
  return breaksConformance && known?.state !== 'accepted';
}

/** What is to be said of a known failure. */
export function knownText({ state, reason, expires, issue }: KnownFailureNote): string {
  const why = printable(`${reason}${issue === undefined ? '' : ` (${issue})`}`);
  switch (state) {
    case 'accepted':
      return `known failure, accepted until ${expires}: ${why}`;
    case 'expired':
      return `known failure, accepted until ${expires} only: mend the runner, or decide anew. ${why}`;
    case 'stale':
      return `listed as a known failure, and kept now: take it off the list. ${why}`;
    case 'unused':
      return `listed as a known failure; not judged in this run: ${why}`;
  }
}

/** The rows that explain a finding, each as label and text. */
export function findingRows({ finding, statement }: RequirementResult): [label: string, text: string][] {
  if (!finding) return [];
  const rows: [string, string | undefined][] = [
    ['statement', statement],
    ['sent', printable(finding.sent)],
    ['expected', printable(finding.expected)],
    ['actual', printable(finding.actual)],
    ...(finding.timeline ?? []).map(({ afterMs, text }): [string, string] => [
      'timeline',
      `+${Math.round(afterMs)} ms  ${printable(text)}`,
    ]),
    ['again', finding.again],
    ['curl', finding.curl],
  ];
  return rows.flatMap(([label, text]) => (text === undefined ? [] : [[label, text]]));
}

/** `84 passed · 1 failed · …`. */
export function countsText({ summary, results }: ContractReport): string {
  const parts = [`${summary.passed} passed`, `${summary.failed} failed`, plural(summary.warned, 'warning')];
  const accepted = results.filter(({ known }) => known?.state === 'accepted').length;
  if (accepted > 0) parts.push(`${accepted} of them known`);
  const unscored = results.filter(
    ({ scored, status }) => scored === false && (status === 'failed' || status === 'warned'),
  ).length;
  if (unscored > 0) parts.push(`${unscored} of them not scored`);
  if (summary.notEvaluable > 0) parts.push(`${summary.notEvaluable} not judged`);
  if (summary.error > 0) parts.push(plural(summary.error, 'kit fault'));
  return [...parts, `${summary.notApplicable} not applicable`].join(' · ');
}

function unlistedText({ ok, results }: ContractReport): string {
  if (ok) return '; known failures alone, accepted';
  const unlisted = results.filter(
    ({ known }) => known?.state === 'expired' || known?.state === 'stale',
  ).length;
  return unlisted === 0 ? '' : `; ${plural(unlisted, 'known failure')} expired or stale`;
}

/** The verdict in a few words. */
export function verdictText(report: ContractReport): string {
  const { profiles, summary } = report;
  if (summary.error > 0)
    return `the kit failed in ${plural(summary.error, 'case')}; nothing is said of the runner there`;
  const claimed = profiles.filter((profile) => profile.claimed);
  const broken = claimed.filter((profile) => !profile.conformant).map(({ profile }) => profile);
  if (broken.length > 0) return `not conformant: ${broken.join(', ')}${unlistedText(report)}`;
  if (claimed.length === 0) return 'nothing was judged';
  const rest = report.ok ? '' : unlistedText(report);
  return `conformant: ${claimed.map(({ profile }) => profile).join(', ')}${rest}`;
}

/** Over which deliveries it was not judged that were asked for, and why: a line each. */
export function skippedText({ runner }: ContractReport): readonly string[] {
  return (runner.skippedDeliveries ?? []).map(
    ({ delivery, reason }) => `not judged over ${delivery}: ${printable(reason)}`,
  );
}

/** `images 1.2.0 · features ndjson (from its manifest)`; undefined where nothing is known of the runner. */
export function runnerText({ runner }: ContractReport): string | undefined {
  if (runner.source === 'nowhere') return undefined;
  return printable(
    `runner ${runner.name} ${runner.version} · features ${runner.features.join(', ') || 'none'} (from its ${runner.source})`,
  );
}
