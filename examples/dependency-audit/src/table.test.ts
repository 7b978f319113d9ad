import { describe, expect, test } from 'vitest';
import { formatBytes, renderTable } from './table.js';

const columns = [
  { title: 'name' },
  { title: 'count', align: 'right' },
  { title: 'examples', flexible: true },
] as const;

describe('table', () => {
  test('columns are as wide as they need to be', () => {
    expect(
      renderTable(
        columns,
        [
          ['MIT', '12', 'a, b'],
          ['BSD-3-Clause', '3', 'c'],
        ],
        80,
      ),
    ).toBe(
      [
        'name          count  examples',
        '────────────  ─────  ────────',
        'MIT              12  a, b',
        'BSD-3-Clause      3  c',
      ].join('\n'),
    );
  });

  test.each([40, 80, 132])('no line is wider than %i columns', (width) => {
    const text = renderTable(columns, [['MIT', '12', 'word '.repeat(60)]], width);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBe(width);
    expect(text).toContain('…');
  });

  test('without rows it is its header', () => {
    expect(renderTable(columns, [], 80).split('\n')).toHaveLength(2);
  });
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [1_234_567, '1.2 MB'],
  [5_600_000_000_000, '5600.0 GB'],
])('%i bytes are shown as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
