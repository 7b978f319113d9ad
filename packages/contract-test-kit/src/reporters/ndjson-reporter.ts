import { z } from 'zod';
import { ContractReport, RequirementResult } from './report.js';

/**
 * One line of the NDJSON report: what was run, each requirement in the order of the requirements, the verdict.
 * The lines carry all of the report; they are written when the run has ended, because a rule of the wire may be
 * broken in a later case than its own.
 */
export const ReportEvent = z.discriminatedUnion('event', [
  ContractReport.pick({
    schemaVersion: true,
    contract: true,
    target: true,
    seed: true,
    strict: true,
    startedAt: true,
    runner: true,
  }).extend({ event: z.literal('run-started') }),
  RequirementResult.extend({ event: z.literal('requirement-judged') }),
  ContractReport.pick({
    durationMs: true,
    conformant: true,
    ok: true,
    profiles: true,
    summary: true,
    redactions: true,
  }).extend({ event: z.literal('run-ended') }),
]);
export type ReportEvent = z.infer<typeof ReportEvent>;

/** The report as events. */
export function reportEvents(report: ContractReport): ReportEvent[] {
  const { results, durationMs, conformant, ok, profiles, summary, redactions, ...start } = report;
  return [
    { event: 'run-started', ...start },
    ...results.map((result): ReportEvent => ({ event: 'requirement-judged', ...result })),
    { event: 'run-ended', durationMs, conformant, ok, profiles, summary, redactions },
  ];
}

/** The report as NDJSON: one event a line. */
export function renderNdjson(report: ContractReport): string {
  return reportEvents(report)
    .map((event) => `${JSON.stringify(event)}\n`)
    .join('');
}
