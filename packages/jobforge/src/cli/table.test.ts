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

describe('a table on a terminal that is too narrow for it', () => {
  it('is stacked, a column a line, and never wraps', () => {
    expect(print(16)).toEqual(['ID    a', 'TEXT  xxxxxxxxx…', '', 'ID    longer-id', 'TEXT  tab here\\…']);
    for (let columns = 10; columns < 70; columns += 1)
      expect(Math.max(...print(columns).map((line) => line.length))).toBeLessThanOrEqual(columns);
  });

  it('leaves out what is empty', () => {
    const lines: string[] = [];
    const terminal = {
      out: (line: string) => lines.push(line),
      err: () => undefined,
      columns: 10,
      colour: false,
    };
    const columns = [
      { title: 'IDENTITY', value: () => '0123456789' },
      { title: 'NOTE', value: () => '' },
    ];
    printTable(terminal, columns, [1]);
    expect(lines).toHaveLength(1);
  });
});
