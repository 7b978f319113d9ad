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

/**
 * Prints rows under titles, cut to the terminal's width; where even that is too narrow, a column a line. Nothing is
 * cut where nobody looks.
 */
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
  if (totalOf(widths) > (terminal.columns ?? Infinity)) {
    const titles = columns.map(({ title }) => title);
    return printStacked(terminal, titles, cells);
  }
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, at) => fit(text, widths[at] ?? 0))
      .join(GAP)
      .trimEnd();
  terminal.out(toned(terminal, 'dim', line(columns.map(({ title }) => title))));
  for (const texts of cells) terminal.out(line(texts));
}

function totalOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
}

function printStacked(
  terminal: Terminal,
  titles: readonly string[],
  cells: readonly (readonly string[])[],
): void {
  const { columns = Infinity } = terminal;
  const titleWidth = Math.max(...titles.map((title) => title.length));
  for (const [row, texts] of cells.entries()) {
    if (row > 0) terminal.out('');
    for (const [at, text] of texts.entries()) {
      if (text === '') continue;
      const title = (titles[at] ?? '').padEnd(titleWidth) + GAP;
      // Where nothing would be left of a text, it goes without its title.
      const shown = columns > title.length + NARROWEST / 2 ? title : '';
      terminal.out(toned(terminal, 'dim', shown) + cut(text, columns - shown.length));
    }
  }
}

function fitted<Row>(
  natural: readonly number[],
  columns: readonly Column<Row>[],
  available: number | undefined,
): number[] {
  const widths = [...natural];
  if (available === undefined) return widths;
  while (totalOf(widths) > available) {
    const widest = columns.reduce(
      (best, { flexible }, at) => (flexible && (widths[at] ?? 0) > (widths[best] ?? 0) ? at : best),
      -1,
    );
    const width = widths[widest] ?? 0;
    if (width <= NARROWEST) break;
    widths[widest] = Math.max(NARROWEST, width - (totalOf(widths) - available));
  }
  return widths;
}

function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}

function fit(text: string, width: number): string {
  return cut(text, width).padEnd(width);
}
