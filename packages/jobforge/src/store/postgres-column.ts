import type { PostgresValue } from './postgres-driver.js';

export type Cell = string | number | null;

/** A column of rows that are handed over: its name, its type, and how a row's value is read. */
export type Column<T> = readonly [
  name: string,
  type: 'text' | 'bigint' | 'int' | 'float8',
  read: (row: T) => Cell | undefined,
];

/** A value of a statement, and the expression that makes an array of it, given the value's place. */
export interface HandedOver {
  readonly value: PostgresValue;
  readonly array: (place: string) => string;
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
export function columnOf<T>(rows: readonly T[], [, type, read]: Column<T>): HandedOver {
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
