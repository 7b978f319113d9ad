import * as fc from 'fast-check';
import type { JsonSchema } from './json-schema-check.js';
import { spoilingChanges, type Input } from './member-changes.js';
import { inputArbitrary } from './schema-arbitrary.js';

/**
 * Inputs that are wrong in one place, to be drawn and shrunk by fast-check. Check what is drawn.
 * @returns undefined for a schema that accepts any object, and where nothing can be drawn
 */
export function spoiledArbitrary(schema: JsonSchema): fc.Arbitrary<unknown> | undefined {
  const valid = inputArbitrary(schema);
  const changes = spoilingChanges(schema);
  if (!valid || changes.length === 0) return undefined;
  return fc.tuple(valid, fc.constantFrom(...changes)).map(([input, change]) => change(input as Input));
}
