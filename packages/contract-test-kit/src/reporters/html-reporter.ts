import { escapeMarkup } from './escape-markup.js';
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

const html = (text: string): string => escapeMarkup(printable(text));

const STYLE = `
:root { color-scheme: light dark; --ok: #1a7f37; --bad: #cf222e; --warn: #9a6700; --dim: #6e7781; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } .ok { color: var(--ok); } .bad { color: var(--bad); } .warn { color: var(--warn); } .dim { color: var(--dim); }
details, .row { border-top: 1px solid color-mix(in srgb, currentColor 18%, transparent); padding: .35rem 0; }
code, dd { font-family: ui-monospace, monospace; font-size: .9em; } dd { margin: 0 0 .4rem; overflow-wrap: anywhere; }
dt { color: var(--dim); font-size: .85em; } .level, .time { color: var(--dim); font-size: .85em; float: right; margin-left: 1rem; }`;

function tone(result: RequirementResult): string {
  if (failsRun(result)) return 'bad';
  if (result.status === 'passed') return 'ok';
  return result.status === 'not-applicable' ? 'dim' : 'warn';
}

function row(result: RequirementResult): string {
  const { id, level, status, durationMs, known, reason, statement } = result;
  const facts = findingRows(result);
  if (facts.length === 0) facts.push(['statement', statement]);
  if (known) facts.unshift(['known', knownText(known)]);
  if (reason !== undefined) facts.push(['why', reason]);
  const list = facts.map(([label, text]) => `<dt>${label}</dt><dd>${html(text)}</dd>`).join('');
  const head = `<span class="time">${Math.round(durationMs)} ms</span><span class="level">${level}</span><span class="${tone(result)}">${status}</span> <code>${html(id)}</code>`;
  return `<details${failsRun(result) ? ' open' : ''} id="${html(id)}"><summary>${head}</summary><dl>${list}</dl></details>`;
}

/**
 * The report as one HTML file that loads nothing and runs nothing: its policy forbids scripts and any
 * request.
 */
export function renderHtml(report: ContractReport): string {
  const about = [runnerText(report), ...skippedText(report)].filter((text) => text !== undefined);
  const profiles = [...new Set(report.results.map(({ profile }) => profile))];
  const sections = profiles.map((profile) => {
    const rows = report.results.filter((result) => result.profile === profile).map(row);
    return `<h2>${profile}</h2>\n${rows.join('\n')}`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Contract ${html(report.contract)}: ${html(verdictText(report))}</title>
<style>${STYLE}
</style>
</head>
<body>
<h1>Contract ${html(report.contract)}: <span class="${report.ok ? 'ok' : 'bad'}">${html(verdictText(report))}</span></h1>
<p>${about.map((text) => `${html(text)}<br>`).join('')}${html(countsText(report))}</p>
<p class="dim"><code>${html(report.target)}</code> · ${html(report.startedAt)} · ${(report.durationMs / 1000).toFixed(1)} s · seed ${report.seed}</p>
${sections.join('\n')}
</body>
</html>
`;
}
