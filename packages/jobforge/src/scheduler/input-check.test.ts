import { describe, expect, it } from 'vitest';
import { createSchemaChecks } from './input-check.js';

const member = (schema: object): object => ({ type: 'object', properties: { a: schema } });

function told(schema: object, input: Record<string, unknown>): string[] {
  const checks = createSchemaChecks('input').of(
    [{ id: 'a', schema: schema as Record<string, unknown> }],
    (_, problem) => expect.fail(problem),
  );
  return (checks.get('a')?.(input) ?? []).map(({ path, message }) => `${path?.join('.')}: ${message}`);
}

describe('what is wrong with an input', () => {
  it.each([
    [{ type: 'string' }, 1, 'expected string, received number'],
    [{ type: ['string', 'null'] }, 1, 'expected string or null, received number'],
    [{ type: 'string', minLength: 1 }, '', 'expected at least 1 character'],
    [{ type: 'string', maxLength: 2 }, 'abc', 'expected at most 2 characters'],
    [{ type: 'string', pattern: '^a' }, 'b', 'expected text that matches ^a'],
    [{ type: 'string', format: 'uri' }, 'b', 'expected a text of the format uri'],
    [{ enum: ['a', 'b', 3] }, 'c', 'expected one of "a", "b", 3'],
    [{ const: 'a' }, 'c', 'expected "a"'],
    [{ type: 'number', minimum: 1 }, 0, 'expected at least 1'],
    [{ type: 'number', exclusiveMinimum: 0 }, 0, 'expected more than 0'],
    [{ type: 'number', maximum: 4096 }, 5000, 'expected at most 4096'],
    [{ type: 'number', exclusiveMaximum: 1 }, 1, 'expected less than 1'],
    [{ type: 'number', multipleOf: 5 }, 3, 'expected a multiple of 5'],
    [{ type: 'array', minItems: 2 }, [1], 'expected at least 2 items'],
    [{ type: 'array', maxItems: 1 }, [1, 2], 'expected at most 1 item'],
    [{ type: 'array', uniqueItems: true }, [1, 1], 'expected items that differ; 0 and 1 are the same'],
    [{ anyOf: [{ type: 'string' }, { type: 'number' }] }, true, 'expected string, received boolean'],
    [{ not: { type: 'string' } }, 'a', 'has a value that is not allowed'],
  ])('is told in plain words: %j', (schema, value, message) => {
    expect(told(member(schema), { a: value })[0]).toBe(`input.a: ${message}`);
  });

  it('names members that are missing and those that are too many', () => {
    const schema = { ...member({ type: 'string' }), required: ['a'], additionalProperties: false };
    expect(told(schema, { b: 1 })).toEqual([
      'input.a: expected string, received undefined',
      'input.b: is not expected here',
    ]);
    const named = { type: 'object', properties: { name: {} }, additionalProperties: false };
    expect(told(named, { nam: 1 })).toEqual(['input.nam: is not expected here (did you mean name?)']);
  });
});

describe('schemas', () => {
  const notSchema = { type: 'nothing' };

  it('are compiled when they are needed, each text once, whoever has it', () => {
    const problems: string[] = [];
    const inputChecks = createSchemaChecks('input');
    const tell = (id: string): void => void problems.push(id);
    const one = inputChecks.of(
      [
        { id: 'a', schema: { type: 'object', required: ['x'] } },
        { id: 'b', schema: notSchema },
      ],
      tell,
    );
    const other = inputChecks.of([{ id: 'c', schema: { type: 'object', required: ['x'] } }], tell);
    expect(problems).toEqual([]);
    expect(one.get('a')).toBe(other.get('c'));
    expect([one.get('b'), one.get('b'), one.get('none')]).toEqual([undefined, undefined, undefined]);
    expect(problems).toEqual(['b']);
    expect([one.problem('a'), one.problem('none')]).toEqual([undefined, undefined]);
    expect(one.problem('b')).toContain('type');
    expect(problems).toEqual(['b']);
  });

  it('are compiled again where there were too many since', () => {
    const schemas = ['x', 'y', 'z'].map((name) => ({ id: name, schema: { required: [name] } }));
    const checks = createSchemaChecks('input', 2).of(schemas, () => undefined);
    const [x, y] = [checks.get('x'), checks.get('y')];
    expect(checks.get('x')).toBe(x);
    checks.get('z');
    expect(checks.get('x')).toBe(x);
    expect(checks.get('y')).not.toBe(y);
    expect(checks.get('y')?.({})).toMatchObject([{ path: ['input', 'y'] }]);
  });
});
