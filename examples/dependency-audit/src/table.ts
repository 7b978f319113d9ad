/** A column of a text table. Exactly one column of a table may be `flexible`: it takes the width that is left. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  readonly flexible?: boolean;
}

const GAP = '  ';
const MIN_FLEXIBLE = 12;

/**
 * Lays out rows in columns that fit a width: fixed columns take what their longest cell needs, the flexible one is
 * cut with an ellipsis.
 * @param width - columns of the terminal
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): string {
  const needed = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const fixed = columns.reduce((sum, column, index) => sum + (column.flexible ? 0 : (needed[index] ?? 0)), 0);
  const left = Math.max(MIN_FLEXIBLE, width - fixed - GAP.length * (columns.length - 1));
  const widths = columns.map((column, index) =>
    Math.min(needed[index] ?? 0, column.flexible ? left : Infinity),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => fit(cell, widths[index] ?? 0, columns[index]?.align))
      .join(GAP)
      .trimEnd();
  return [
    line(columns.map(({ title }) => title)),
    widths.map((cells) => '─'.repeat(cells)).join(GAP),
    ...rows.map(line),
  ].join('\n');
}

function fit(cell: string, width: number, align: 'left' | 'right' = 'left'): string {
  const cut = cell.length > width ? `${cell.slice(0, Math.max(0, width - 1))}…` : cell;
  return align === 'right' ? cut.padStart(width) : cut.padEnd(width);
}

const UNITS = ['B', 'kB', 'MB', 'GB'];

/** `1234567` → `1.2 MB`. */
export function formatBytes(bytes: number): string {
  const step = bytes < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** step;
  return `${step === 0 ? value : value.toFixed(1)} ${UNITS[step]}`;
}
