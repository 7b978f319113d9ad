import { printable } from './printable.js';
import { toned, type Terminal } from './terminal.js';

/** Prints names and values under one another; what is not known is left out. */
export function printFields(
  terminal: Terminal,
  fields: readonly (readonly [name: string, value: string | undefined])[],
): void {
  const known = fields.filter((field): field is [string, string] => Boolean(field[1]));
  const width = Math.max(...known.map(([name]) => name.length));
  for (const [name, value] of known)
    terminal.out(`${toned(terminal, 'dim', name.padEnd(width))}  ${printable(value)}`);
}
