import type { DuplicateReport, LicenseReport } from './capabilities.js';
import { formatBytes, renderTable } from './table.js';

const FLAGS = { permissive: '', copyleft: '! copyleft', unknown: '? unknown' } as const;
const MOST_ROWS = 25;

/** The two results as text: what a person should look at first. */
export function licenseText(report: LicenseReport, width: number): string {
  const rows = report.groups.map(({ license, verdict, count, packages }) => [
    license,
    String(count),
    FLAGS[verdict],
    packages.join(', '),
  ]);
  const flagged = report.groups.filter(({ verdict }) => verdict !== 'permissive');
  const packages = flagged.reduce((sum, { count }) => sum + count, 0);
  const summary =
    report.packages === 0
      ? 'no package could be read'
      : packages === 0
        ? 'none to look at: all are permissive'
        : `${packages} to look at, ${report.packages - packages} permissive`;
  const columns = [
    { title: 'license' },
    { title: 'packages', align: 'right' },
    { title: 'flag' },
    { title: 'which', flexible: true },
  ] as const;
  return [`Licenses of ${report.packages} packages`, '', ...table(columns, rows, width), '', summary].join(
    '\n',
  );
}

export function duplicateText(report: DuplicateReport, width: number): string {
  const rows = report.duplicates.map(({ name, versions, bytes }) => [
    name,
    String(versions.length),
    formatBytes(bytes),
    versions.map(({ version, copies }) => (copies > 1 ? `${version} ×${copies}` : version)).join(', '),
  ]);
  const summary =
    rows.length === 0
      ? 'none: every package is there in one version'
      : `${rows.length} ${rows.length === 1 ? 'package' : 'packages'} in several versions, ${formatBytes(report.bytes)} together`;
  const columns = [
    { title: 'package' },
    { title: 'versions', align: 'right' },
    { title: 'size', align: 'right' },
    { title: 'which', flexible: true },
  ] as const;
  return [
    `Duplicates among ${report.packages} packages${inCopies(report)}`,
    '',
    ...table(columns, rows, width),
    '',
    summary,
  ].join('\n');
}

/** Where one version is installed in several places, as pnpm does for other peers and npm for nested ones. */
const inCopies = ({ packages, copies }: DuplicateReport): string =>
  copies > packages ? ` (${copies} copies on disk)` : '';

function table(columns: Parameters<typeof renderTable>[0], rows: string[][], width: number): string[] {
  const more = rows.length - MOST_ROWS;
  const lines = [renderTable(columns, rows.slice(0, MOST_ROWS), width)];
  return more > 0 ? [...lines, `… and ${more} more`] : lines;
}
