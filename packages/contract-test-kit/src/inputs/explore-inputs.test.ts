import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exploreInputs } from './explore-inputs.js';
import { valueFaults, type JsonSchema } from './json-schema-check.js';
import { edgeChanges, spoilingChanges } from './member-changes.js';
import { inputArbitrary } from './schema-arbitrary.js';
import { spoiledArbitrary } from './spoiled-arbitrary.js';

const address = {
  type: 'object',
  properties: { city: { type: 'string', minLength: 2 }, zip: { type: 'integer', minimum: 10_000 } },
  required: ['city', 'zip'],
};

const SCHEMAS: Record<string, JsonSchema> = {
  'members of every type': {
    type: 'object',
    properties: {
      name: { type: 'string', minLength: 20, maxLength: 21 },
      age: { type: 'integer', exclusiveMinimum: 17, maximum: 20 },
      even: { type: 'integer', multipleOf: 2, maximum: -3 },
      ratio: { type: 'number', minimum: 0, maximum: 0.5 },
      on: { type: 'boolean' },
      none: { type: 'null' },
      tags: { type: 'array', items: { type: 'string' }, minItems: 2, maxItems: 3, uniqueItems: true },
      kind: { enum: ['a', 'b'] },
      fixed: { const: 7 },
      link: { type: 'string', format: 'uri' },
      code: { type: 'string', pattern: '^[A-Z]{3}$' },
      maybe: { type: ['string', 'null'] },
      pair: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }], minItems: 2 },
    },
    required: ['name', 'age', 'even', 'ratio', 'on', 'none', 'tags', 'kind', 'fixed', 'link', 'pair'],
    additionalProperties: false,
  },
  'references and nesting': {
    type: 'object',
    properties: { home: { $ref: '#/$defs/address' } },
    required: ['home'],
    $defs: { address },
  },
  unions: {
    type: 'object',
    anyOf: [address, { properties: { phone: { type: 'string' } }, required: ['phone'] }],
  },
  'a tree': {
    type: 'object',
    properties: { child: { $ref: '#' }, name: { type: 'string' } },
    required: ['name'],
  },
};

const draw = (arbitrary: fc.Arbitrary<unknown> | undefined): unknown[] =>
  arbitrary ? fc.sample(arbitrary, { seed: 11, numRuns: 60 }) : [];

describe('inputs that are drawn', () => {
  it.each(Object.entries(SCHEMAS))('are mostly accepted by their schema: %s', (_name, schema) => {
    const drawn = draw(inputArbitrary(schema));
    expect(drawn).toHaveLength(60);
    expect(drawn.filter((value) => valueFaults(schema, value).length === 0).length).toBeGreaterThan(50);
  });

  it('take every branch of a union', () => {
    const drawn = draw(inputArbitrary(SCHEMAS['unions'] ?? {})) as object[];
    expect(drawn.some((value) => 'phone' in value)).toBe(true);
    expect(drawn.some((value) => 'zip' in value)).toBe(true);
  });

  it('are refused by their schema when they are spoiled, without a word about formats', () => {
    for (const schema of Object.values(SCHEMAS)) {
      const drawn = draw(spoiledArbitrary(schema));
      const refused = drawn.filter((value) => valueFaults(schema, value, 'lenient').length > 0);
      expect(refused.length).toBeGreaterThanOrEqual(drawn.length / 2);
    }
  });

  it('are not drawn for a schema that accepts any object, or that nobody can read', () => {
    expect(spoiledArbitrary({ type: 'object' })).toBeUndefined();
    expect(inputArbitrary({ properties: { a: { type: 'string', pattern: '(?<=' } } })).toBeUndefined();
  });
});

describe('changes of an input in one member', () => {
  const changed = (changes: readonly ((input: Record<string, unknown>) => unknown)[]): unknown[] =>
    changes.map((change) => change({ city: 'Ulm', zip: 89_073 }));

  it('go to the limits of the schema', () => {
    expect(changed(edgeChanges(address))).toEqual([
      { city: 'xx', zip: 89_073 },
      { city: 'xxx', zip: 89_073 },
      { city: 'Ulm', zip: 10_000 },
      { city: 'Ulm', zip: 10_001 },
    ]);
  });

  it('go just beyond them, leave members out and take other types', () => {
    expect(changed(spoilingChanges(address))).toEqual(
      expect.arrayContaining([
        { city: 'x', zip: 89_073 },
        { city: 'Ulm', zip: 9_999 },
        { zip: 89_073 },
        { city: 42, zip: 89_073 },
      ]),
    );
  });
});

describe('exploreInputs', () => {
  const schema = { type: 'object', properties: { n: { type: 'integer', minimum: 0 } }, required: ['n'] };
  const exploration = {
    arbitrary: inputArbitrary(schema) ?? fc.constant({}),
    fits: (value: unknown) => valueFaults(schema, value).length === 0,
    examples: [{ n: 3 }],
    last: [],
    seed: 4,
    limitMs: 60_000,
  };
  const numberIn = (input: unknown): number => (input as { n: number }).n;

  it('finds the smallest input that breaks something', async () => {
    const { smallest } = await exploreInputs(exploration, async (input) =>
      numberIn(input) >= 17 ? `too many: ${numberIn(input)}` : undefined,
    );
    expect(smallest).toEqual({ input: { n: 17 }, finding: 'too many: 17' });
  });

  it('begins with the examples, and tries the same for the same seed', async () => {
    const seen = async (): Promise<number[]> => {
      const numbers: number[] = [];
      await exploreInputs(exploration, async (input) => void numbers.push(numberIn(input)));
      return numbers;
    };
    const first = await seen();
    expect(first[0]).toBe(3);
    expect(first.length).toBe(25);
    expect(await seen()).toEqual(first);
  });

  it('tries the last ones when nothing else was found', async () => {
    const { smallest } = await exploreInputs(
      { ...exploration, last: [{ n: -1 }, { n: 5_000 }] },
      async (input) => (numberIn(input) === 5_000 ? 'that one' : undefined),
    );
    expect(smallest).toEqual({ input: { n: 5_000 }, finding: 'that one' });
  });

  it('leaves out what does not fit', async () => {
    const fits = (value: unknown): boolean => numberIn(value) % 2 === 0;
    const { tried, smallest } = await exploreInputs({ ...exploration, fits }, async (input) =>
      numberIn(input) % 2 === 0 ? undefined : 'odd',
    );
    expect(smallest).toBeUndefined();
    expect(tried).toBeGreaterThan(5);
  });

  it('ends with what an attempt throws', async () => {
    const broken = exploreInputs(exploration, async () => {
      throw new Error('the runner has ended');
    });
    await expect(broken).rejects.toThrow('the runner has ended');
  });
});
