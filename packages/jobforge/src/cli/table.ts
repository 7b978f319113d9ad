import { printableLine } from './printable.js';
import { toned, type Terminal } from './terminal.js';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  /** Gives way where the terminal is narrow. */
  readonly flexible?: boolean;
}

const GAP = '  ';
const NARROWEST = 8;

/** Prints rows under titles, cut to the terminal's width. Nothing is cut where nobody looks. */
export function printTable<Row>(
  terminal: Terminal,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): void {
  const cells = rows.map((row) => columns.map(({ value }) => printableLine(value(row))));
  const natural = columns.map(({ title }, at) =>
    Math.max(title.length, ...cells.map((line) => line[at]?.length ?? 0)),
  );
  const widths = fitted(natural, columns, terminal.columns);
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, at) => fit(text, widths[at] ?? 0))
      .join(GAP)
      .trimEnd();
  terminal.out(toned(terminal, 'dim', line(columns.map(({ title }) => title))));
  for (const texts of cells) terminal.out(line(texts));
}

function fitted<Row>(
  natural: readonly number[],
  columns: readonly Column<Row>[],
  available: number | undefined,
): number[] {
  const widths = [...natural];
  if (available === undefined) return widths;
  const total = (): number => widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
  while (total() > available) {
    const widest = columns.reduce(
      (best, { flexible }, at) => (flexible && (widths[at] ?? 0) > (widths[best] ?? 0) ? at : best),
      -1,
    );
    const width = widths[widest] ?? 0;
    if (width <= NARROWEST) break;
    widths[widest] = Math.max(NARROWEST, width - (total() - available));
  }
  return widths;
}

function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}
