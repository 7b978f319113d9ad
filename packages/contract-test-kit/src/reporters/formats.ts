import { renderBadge } from './badge-reporter.js';
import { renderHtml } from './html-reporter.js';
import { renderJson } from './json-reporter.js';
import { renderJunit } from './junit-reporter.js';
import { renderMarkdown } from './markdown-reporter.js';
import { renderNdjson } from './ndjson-reporter.js';
import { renderOutputs } from './outputs-reporter.js';
import type { ContractReport } from './report.js';
import { renderSarif } from './sarif-reporter.js';
import { renderText, type TextOptions } from './text-reporter.js';

const RENDERERS = {
  text: renderText,
  json: renderJson,
  ndjson: renderNdjson,
  junit: renderJunit,
  sarif: renderSarif,
  markdown: renderMarkdown,
  html: renderHtml,
  badge: renderBadge,
  outputs: renderOutputs,
} as const satisfies Readonly<Record<string, (report: ContractReport, options?: TextOptions) => string>>;

/** A form that a report can be written in. */
export type ReportFormat = keyof typeof RENDERERS;

/** Every form that a report can be written in. */
export const REPORT_FORMATS = Object.keys(RENDERERS) as readonly ReportFormat[];

export const isReportFormat = (text: string): text is ReportFormat => Object.hasOwn(RENDERERS, text);

/** Writes a report in a form; the text report alone has colours. */
export function renderReport(report: ContractReport, format: ReportFormat, options?: TextOptions): string {
  return RENDERERS[format](report, options);
}
