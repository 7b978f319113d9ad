import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ExecutionEvent } from './execution-event.js';
import { CONTRACT_SCHEMAS, contractJsonSchema, type ContractSchemaName } from './json-schema.js';

const names = Object.keys(CONTRACT_SCHEMAS) as ContractSchemaName[];
const folder = new URL('../schemas/', import.meta.url);

describe('published JSON Schemas', () => {
  it('are exactly those of the code', () => {
    expect(readdirSync(folder).toSorted()).toEqual(names.map((name) => `${name}.json`).toSorted());
  });

  it.each(names)('%s is what the code says (pnpm --filter @controlplane/contracts schemas)', (name) => {
    const published: unknown = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));
    expect(published).toEqual(JSON.parse(JSON.stringify(contractJsonSchema(name))));
  });

  it('ask for no member that JSON leaves out: a success without data is one', () => {
    const success = {
      type: 'succeeded',
      executionId: 'e',
      seq: 1,
      at: '2026-01-31T12:00:00Z',
      data: undefined,
    };
    const sent: unknown = JSON.parse(JSON.stringify(success));
    expect(ExecutionEvent.safeParse(sent).success).toBe(true);
    const { oneOf } = contractJsonSchema('ExecutionEvent') as { oneOf: { required: string[] }[] };
    expect(oneOf.flatMap(({ required }) => required)).not.toContain('data');
  });

  it.each(names)('%s constrains something and allows later members', (name) => {
    const schema = contractJsonSchema(name);
    expect(schema['anyOf'] ?? schema['oneOf'] ?? schema['properties']).toBeDefined();
    expect(JSON.stringify(schema)).not.toContain('"additionalProperties":false');
  });
});
