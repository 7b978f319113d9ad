import type { ErrorDetail, JsonObject } from '@controlplane/contracts';
import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { schemaWords } from './schema-words.js';

/** What is checked: what goes to a capability, or what comes back. */
type Side = 'input' | 'output';

/** Says what is wrong with a value; undefined when nothing is. Paths begin with its side. */
export type SchemaCheck = (value: unknown) => ErrorDetail[] | undefined;

const MAX_DETAILS = 20;
/** Values up to this size are told everything that is wrong with them, larger ones the first thing alone. */
const MAX_EXHAUSTIVE_CHARACTERS = 64 * 1024;
const MAX_COMPILED = 1_000;

const OPTIONS: Options = { strict: false, addUsedSchema: false, validateFormats: true, verbose: true };

function compile(schema: JsonObject, allErrors: boolean): ValidateFunction {
  const { $schema: draft, ...rest } = schema;
  const options = { ...OPTIONS, allErrors };
  const named = typeof draft === 'string' ? draft : '';
  const ajv = named.includes('draft-07')
    ? new Ajv(options)
    : named.includes('2019-09')
      ? new Ajv2019(options)
      : new Ajv2020(options);
  // The plugin is CommonJS whose function is its default export.
  (formats as unknown as (instance: typeof ajv) => void)(ajv);
  return ajv.compile(rest);
}

function unescape(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~');
}

function toDetail(side: Side, error: ErrorObject): ErrorDetail {
  const { missingProperty, additionalProperty, unevaluatedProperty } = error.params as Record<
    string,
    string | undefined
  >;
  const at = error.instancePath.split('/').slice(1).map(unescape);
  const extra = missingProperty ?? additionalProperty ?? unevaluatedProperty;
  return {
    path: [side, ...at, ...(extra === undefined ? [] : [extra])],
    message: schemaWords(error),
    code: error.keyword,
  };
}

function createCheck(side: Side, schema: JsonObject): SchemaCheck {
  // Accepts everything: not worth a compiler, which takes milliseconds.
  if (Object.keys(schema).length === 0) return () => undefined;
  const first = compile(schema, false);
  let every: ValidateFunction | undefined;
  return (value) => {
    if (first(value)) return undefined;
    let errors = first.errors ?? [];
    if (JSON.stringify(value).length <= MAX_EXHAUSTIVE_CHARACTERS) {
      every ??= compile(schema, true);
      if (!every(value)) errors = every.errors ?? errors;
    }
    return errors.slice(0, MAX_DETAILS).map((error) => toDetail(side, error));
  };
}

/** The checks of one side of one runner's capabilities. */
export interface CapabilityChecks {
  /** Undefined where what the schema says cannot be checked, and of a capability that the runner does not offer. */
  get(capabilityId: string): SchemaCheck | undefined;
  /** Why what the schema of a capability says cannot be checked; undefined where it can. */
  problem(capabilityId: string): string | undefined;
}

/** Compiles schemas when they are needed, each text once. */
export interface SchemaChecks {
  /** @param onProblem - hears of a schema that cannot be compiled, and why */
  of(
    capabilities: readonly { readonly id: string; readonly schema: JsonObject }[],
    onProblem: (capabilityId: string, problem: string) => void,
  ): CapabilityChecks;
}

type Compiled = { readonly check: SchemaCheck } | { readonly problem: string };

function build(side: Side, schema: JsonObject): Compiled {
  try {
    return { check: createCheck(side, schema) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** @param maxCompiled - schemas that are kept compiled, those that were needed last */
export function createSchemaChecks(side: Side, maxCompiled = MAX_COMPILED): SchemaChecks {
  const compiled = new Map<string, Compiled>();
  const find = (text: string): Compiled | undefined => {
    const known = compiled.get(text);
    if (known === undefined) return undefined;
    compiled.delete(text);
    compiled.set(text, known);
    return known;
  };
  const add = (text: string, schema: JsonObject): Compiled => {
    const built = build(side, schema);
    const oldest = compiled.keys().next().value;
    if (compiled.size >= maxCompiled && oldest !== undefined) compiled.delete(oldest);
    compiled.set(text, built);
    return built;
  };
  return {
    of(capabilities, onProblem) {
      // Thousands of runners hold one of these: what the first job needs is made for it.
      let known: Map<string, { readonly text: string; readonly schema: JsonObject }> | undefined;
      let told: Set<string> | undefined;
      const schemaOf = (id: string): JsonObject | undefined =>
        capabilities.findLast((capability) => capability.id === id)?.schema;
      const look = (id: string, text: string, schema: JsonObject): Compiled => {
        const found = find(text) ?? add(text, schema);
        if ('problem' in found && told?.has(id) !== true) {
          (told ??= new Set()).add(id);
          onProblem(id, found.problem);
        }
        return found;
      };
      return {
        get(id) {
          let entry = known?.get(id);
          if (entry === undefined) {
            const schema = schemaOf(id);
            if (schema === undefined) return undefined;
            entry = { text: JSON.stringify(schema), schema };
            (known ??= new Map()).set(id, entry);
          }
          const found = look(id, entry.text, entry.schema);
          return 'check' in found ? found.check : undefined;
        },
        problem(id) {
          const schema = schemaOf(id);
          if (schema === undefined) return undefined;
          const found = look(id, JSON.stringify(schema), schema);
          return 'problem' in found ? found.problem : undefined;
        },
      };
    },
  };
}
