import type { PostgresValue } from './postgres-driver.js';

export type Cell = string | number | null;

/**
 * A column of rows that are handed over: its name, its type, and how a row's value is read. Of `shared` columns all
 * rows of a batch mostly have one value.
 */
export type Column<T> = readonly [
  name: string,
  type: 'text' | 'bigint' | 'int' | 'float8',
  read: (row: T) => Cell | undefined,
  likely?: 'shared',
];

/** A value of a statement, and the expression that makes an array of it, given the value's place. */
interface HandedOver {
  readonly value: PostgresValue;
  readonly array: (place: string) => string;
}

/** The rows of a statement as a table named `t`, with the place of each as `place`, and the values that it is given. */
export interface HandedRows {
  readonly table: string;
  readonly values: readonly PostgresValue[];
}

/** Neither is in any JSON, nor in any id. */
const [BETWEEN, NONE] = ['\u001e', '\u001f'];

function timesIn(text: string, character: string): number {
  let times = 0;
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) times += 1;
  return times;
}

/** Whether the server makes the same of a text: of an empty one it would make no row. */
function isTakenApart(joined: string, cells: readonly Cell[]): boolean {
  if (joined === '' || timesIn(joined, BETWEEN) !== cells.length - 1) return false;
  return timesIn(joined, NONE) === cells.filter((cell) => cell === null).length;
}

/**
 * The values of a column. Texts go as one that the server takes apart again: an array in the server's own notation has
 * each quote escaped, of which JSON is full. Those that cannot go that way do go in that notation.
 */
function columnOf<T>(rows: readonly T[], [, type, read]: Column<T>): HandedOver {
  const cells = rows.map((row) => read(row) ?? null);
  if (type !== 'text')
    return {
      value: `{${cells.map((cell) => cell ?? 'NULL').join(',')}}`,
      array: (place) => `${place}::${type}[]`,
    };
  const joined = cells.map((cell) => cell ?? NONE).join(BETWEEN);
  return isTakenApart(joined, cells)
    ? { value: joined, array: (place) => `string_to_array(${place}, chr(30), chr(31))` }
    : { value: cells, array: (place) => `${place}::text[]` };
}

function isShared<T>(rows: readonly T[], [, , read]: Column<T>): boolean {
  const [first, ...others] = rows.map((row) => read(row) ?? null);
  return others.every((cell) => cell === first);
}

/** The names of columns, as a statement lists them. */
export const namesOf = <T>(columns: readonly Column<T>[]): string => columns.map(([name]) => name).join(', ');

/** The one value of a column, for all rows. */
function onlyOf<T>([row]: readonly T[], [, , read]: Column<T>): string | null {
  const cell = row === undefined ? null : (read(row) ?? null);
  return cell === null ? null : String(cell);
}

/**
 * Hands rows over: an array a column, and once what is the same in all rows, which spares the server a third of its
 * work. Either all `shared` columns go once or none: of each statement there are two forms, and both stay prepared.
 * @param taken - values that the statement has already
 */
export function handOver<T>(rows: readonly T[], columns: readonly Column<T>[], taken: number): HandedRows {
  const likely = columns.filter(([, , , is]) => is === 'shared');
  const once = likely.every((column) => isShared(rows, column)) ? likely : [];
  const each = columns.filter((column) => !once.includes(column));
  const handed = each.map((column) => columnOf(rows, column));
  const arrays = handed.map(({ array }, index) => array(`$${taken + index + 1}`));
  const unnested = `unnest(${arrays.join(', ')}) WITH ORDINALITY AS t(${namesOf(each)}, place)`;
  const values = handed.map(({ value }) => value);
  if (once.length === 0) return { table: unnested, values };
  const constants = once.map(
    ([name, type], index) => `$${taken + each.length + index + 1}::${type} AS ${name}`,
  );
  return {
    table: `(SELECT t.*, ${constants.join(', ')} FROM ${unnested}) AS t`,
    values: [...values, ...once.map((column) => onlyOf(rows, column))],
  };
}
