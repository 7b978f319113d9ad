import { existsSync, readFileSync } from 'node:fs';
import * as contracts from '@controlplane/contracts';
import { describe, expect, it } from 'vitest';

const page = new URL('../../docs/write-a-runner-in-any-language.md', import.meta.url);
const text = readFileSync(page, 'utf8');

interface Schema {
  safeParse(value: unknown): { success: boolean; error?: { message: string } };
}

const examples = [...text.matchAll(/<!-- (\w+) -->\n```json\n([^]*?)\n```/g)].map(
  ([, name = '', json = '']) => ({
    name,
    value: JSON.parse(json) as Record<string, unknown>,
  }),
);

describe('docs/write-a-runner-in-any-language.md', () => {
  it('names the schema of every message that it shows', () => {
    expect(examples).toHaveLength(text.split('```json').length - 1);
    expect(new Set(examples.map(({ name }) => name)).size).toBeGreaterThanOrEqual(10);
  });

  it.each(examples)('shows a valid $name, without members that it does not have', ({ name, value }) => {
    const schema = (contracts as unknown as Record<string, Schema>)[name];
    if (!schema) throw new Error(`there is no schema ${name}`);
    expect(schema.safeParse(value).error?.message).toBeUndefined();
    const strict = new URL(`../../packages/contracts/schemas/${name}.json`, import.meta.url);
    const { properties = {} } = JSON.parse(readFileSync(strict, 'utf8')) as { properties?: object };
    expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.keys(value)));
  });

  it('says of each code what the catalogue says', () => {
    const rows = [...text.matchAll(/^\| (`[A-Z_]+`.*?) \| `([A-Z_]+)` \| (\d+) \| (true|false) \|$/gm)];
    const codes = rows.flatMap(([, names = '', category, status, retryable]) =>
      [...names.matchAll(/`([A-Z_]+)`/g)].map(([, code = '']) => ({ code, category, status, retryable })),
    );
    expect(codes.length).toBeGreaterThanOrEqual(10);
    for (const { code, category, status, retryable } of codes) {
      if (!contracts.isErrorCode(code)) throw new Error(`${code} is not in the catalogue`);
      const entry = contracts.ERROR_CODES[code];
      expect({ code, category, status, retryable }).toEqual({
        code,
        category: entry.category,
        status: String(entry.httpStatus),
        retryable: String(entry.retryable),
      });
    }
  });

  it('links to what is there', () => {
    for (const [, link = ''] of text.matchAll(/\]\((\.\.?\/[^)#]+)/g))
      expect(existsSync(new URL(link, page)), link).toBe(true);
  });
});
