import { describe, expect, it } from 'vitest';
import { generateInput } from './generate-input.js';
import { schemaFault, valueFaults } from './json-schema-check.js';
import { spoilInput } from './spoil-input.js';

const address = {
  type: 'object',
  properties: {
    city: { type: 'string', minLength: 2 },
    zip: { type: 'integer', minimum: 10_000, maximum: 99_999 },
  },
  required: ['city', 'zip'],
};

const SCHEMAS: Record<string, Record<string, unknown>> = {
  'any object': { type: 'object' },
  'nothing said': {},
  'members of every type': {
    type: 'object',
    properties: {
      name: { type: 'string', minLength: 20, maxLength: 21 },
      age: { type: 'integer', exclusiveMinimum: 17 },
      ratio: { type: 'number', minimum: 0, exclusiveMaximum: 0.5 },
      on: { type: 'boolean' },
      none: { type: 'null' },
      tags: { type: 'array', items: { type: 'string' }, minItems: 3 },
      kind: { enum: ['a', 'b'] },
      fixed: { const: 7 },
      link: { type: 'string', format: 'uri' },
      when: { type: 'string', format: 'date-time' },
      maybe: { type: ['string', 'null'] },
    },
    required: ['name', 'age', 'ratio', 'on', 'none', 'tags', 'kind', 'fixed', 'link', 'when', 'maybe'],
    additionalProperties: false,
  },
  'references and nesting': {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: { home: { $ref: '#/definitions/address' } },
    required: ['home'],
    definitions: { address },
  },
  unions: { anyOf: [address, { type: 'object', required: ['other'] }] },
  intersections: {
    allOf: [address, { type: 'object', properties: { floor: { type: 'integer' } }, required: ['floor'] }],
  },
  examples: {
    type: 'object',
    properties: { code: { type: 'string', pattern: '^[A-Z]{3}$', examples: ['ABC'] } },
    required: ['code'],
  },
};

describe('generateInput', () => {
  it.each(Object.entries(SCHEMAS))('makes what the schema accepts: %s', (_name, schema) => {
    expect(valueFaults(schema, generateInput(schema, 3))).toEqual([]);
  });

  it('makes the same for the same seed, and other texts for another', () => {
    const schema = { type: 'object', properties: { text: { type: 'string' } } };
    expect(generateInput(schema, 5)).toEqual(generateInput(schema, 5));
    expect(generateInput(schema, 5)).not.toEqual(generateInput(schema, 6));
  });

  it('ends on a schema that refers to itself', () => {
    const tree = { type: 'object', properties: { child: { $ref: '#' } }, required: ['child'] };
    expect(generateInput(tree, 1)).toBeTypeOf('object');
  });
});

describe('spoilInput', () => {
  it.each(Object.entries(SCHEMAS).filter(([name]) => name !== 'any object' && name !== 'nothing said'))(
    'makes what the schema refuses: %s',
    (_name, schema) => {
      const spoiled = spoilInput(schema, generateInput(schema, 3) as Record<string, unknown>);
      expect(valueFaults(schema, spoiled?.payload)).not.toEqual([]);
    },
  );

  it('names the member that is wrong', () => {
    expect(spoilInput(address, { city: 'Ulm', zip: 89_073 })).toEqual({
      payload: { city: 42, zip: 89_073 },
      member: 'city',
    });
  });

  it('makes nothing where the schema accepts any object', () => {
    expect(spoilInput({ type: 'object' }, {})).toBeUndefined();
  });
});

describe('schemaFault', () => {
  it('tells what is no JSON Schema', () => {
    expect(schemaFault({ type: 'strin' })).toContain('type');
    expect(schemaFault(address)).toBeUndefined();
  });

  it('reads a schema by the draft that it names, or that it is written in', () => {
    const pair = {
      type: 'object',
      properties: { pair: { type: 'array', items: [{ type: 'string' }, { type: 'number' }] } },
      required: ['pair'],
    };
    const named = { ...pair, $schema: 'http://json-schema.org/draft-07/schema#' };
    for (const schema of [pair, named]) {
      expect(schemaFault(schema)).toBeUndefined();
      expect(valueFaults(schema, { pair: ['a', 1] })).toEqual([]);
      expect(valueFaults(schema, { pair: [1, 'a'] })).not.toEqual([]);
    }
  });
});

describe('a schema that leads nowhere', () => {
  it.each([
    ['contains itself', { type: 'object', allOf: [{ $ref: '#' }] }],
    ['asks for a text without end', { properties: { a: { type: 'string', minLength: 2e9 } } }],
    ['asks for a list without end', { properties: { a: { type: 'array', minItems: 2e9 } } }],
    ['names a format that objects inherit', { properties: { a: { type: 'string', format: 'constructor' } } }],
  ])('does not bring the kit down: %s', (_name, schema) => {
    const made = generateInput(schema, 1);
    expect(() => valueFaults(schema, made)).not.toThrow();
    expect(JSON.stringify(made).length).toBeLessThan(100_000);
    expect(JSON.parse(JSON.stringify(made))).toEqual(made);
  });
});
