import type { ContractReport } from './report.js';

function messageAndColor({ conformant, ok, profiles, summary }: ContractReport): [string, string] {
  if (summary.error > 0) return ['kit fault', 'lightgrey'];
  const claimed = profiles.filter((profile) => profile.claimed);
  if (claimed.length === 0) return ['not judged', 'lightgrey'];
  if (conformant && ok) return [claimed.map(({ profile }) => profile).join(' · '), 'brightgreen'];
  if (ok) return ['known failures', 'yellow'];
  return [conformant ? 'stale known failures' : 'not conformant', conformant ? 'yellow' : 'red'];
}

/** The report as a badge: the JSON that a shields endpoint serves. */
export function renderBadge(report: ContractReport): string {
  const [message, color] = messageAndColor(report);
  const badge = { schemaVersion: 1, label: `contract ${report.contract}`, message, color };
  return `${JSON.stringify(badge)}\n`;
}
