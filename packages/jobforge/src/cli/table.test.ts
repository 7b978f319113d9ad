import { describe, expect, it } from 'vitest';
import { printTable } from './table.js';

const rows = [
  { id: 'a', text: 'x'.repeat(40) },
  { id: 'longer-id', text: 'tab\there\u001b[2J' },
];
const print = (columns: number | undefined): string[] => {
  const lines: string[] = [];
  const terminal = { out: (line: string) => lines.push(line), err: () => undefined, columns, colour: false };
  printTable(
    terminal,
    [
      { title: 'ID', value: ({ id }) => id },
      { title: 'TEXT', value: ({ text }) => text, flexible: true },
    ],
    rows,
  );
  return lines;
};

describe('a table', () => {
  it('fits the terminal by cutting what may be cut', () => {
    expect(print(30)).toEqual([
      `ID         TEXT`,
      `a          ${'x'.repeat(18)}…`,
      'longer-id  tab here\\u001b[2J',
    ]);
  });

  it('is not cut where nobody looks', () => {
    expect(print(undefined)[1]).toBe(`a          ${'x'.repeat(40)}`);
  });
});
