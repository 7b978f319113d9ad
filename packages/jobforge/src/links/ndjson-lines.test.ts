import { describe, expect, it } from 'vitest';
import { createLineParser } from './ndjson-lines.js';

function parse(chunks: readonly Buffer[], maxBytes = 1_000): { lines: string[]; overlong: string[] } {
  const [lines, overlong]: [string[], string[]] = [[], []];
  const parser = createLineParser(maxBytes, {
    onLine: (line) => void lines.push(line),
    onOverlong: (prefix) => void overlong.push(prefix),
  });
  for (const chunk of chunks) parser.push(chunk);
  parser.end();
  return { lines, overlong };
}

describe('lines of a stream', () => {
  const text = '{"a":"snow ☃"}\n\n{"b":"😀"}\n{"c":3}';

  it.each([1, 2, 3, 5, 7, 1_000])('are whole whatever the chunks (%i bytes)', (size) => {
    const bytes = Buffer.from(text);
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    );
    expect(parse(chunks).lines).toEqual(['{"a":"snow ☃"}', '{"b":"😀"}', '{"c":3}']);
  });

  it('are skipped where they are too long, and the next one counts again', () => {
    const { lines, overlong } = parse(
      [Buffer.from(`short\n${'x'.repeat(30)}`), Buffer.from(`${'x'.repeat(30)}\nnext\n`)],
      20,
    );
    expect(lines).toEqual(['short', 'next']);
    expect(overlong).toEqual(['x'.repeat(30)]);
  });
});
