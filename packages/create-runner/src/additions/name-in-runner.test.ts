import { describe, expect, it } from 'vitest';
import { NAMING_PLACES, nameInRunner } from './name-in-runner.js';

const added = { importLine: "import { b } from './capabilities/b.js';", variable: 'b' };
const program = (items: string, ending = '\n'): string =>
  ["import { a } from './capabilities/a.js';", `createRunner({ capabilities: [${items}] });`, ''].join(
    ending,
  );
const name = (text: string): string | undefined => nameInRunner(text, NAMING_PLACES.TypeScript, added);

it.each([
  ['a', 'a, b'],
  ['', 'b'],
  ['a(options),', 'a(options), b'],
])('the list [%s] becomes [%s]', (before, after) => {
  expect(name(program(before))).toContain(`capabilities: [${after}]`);
});

it('keeps the ending of the lines', () => {
  expect(name(program('a', '\r\n'))?.replaceAll('\r\n', '')).not.toContain('\n');
});

describe('is left to the person', () => {
  it.each(["shell({ allow: ['./a'] })", 'a, // [old]\n', 'a /* and b] */'])('for [%s]', (items) => {
    expect(name(program(items))).toBeUndefined();
  });

  it('for a comment in Python', () => {
    const text = 'from capabilities.a import a\nCAPABILITIES = [a,  # not b]\n]\n';
    expect(nameInRunner(text, NAMING_PLACES.Python, added)).toBeUndefined();
  });
});
