/**
 * @module
 * Checks data against schemas, for tests that hold messages in their hands. Says nothing of a runner:
 * that is what runContract is for. Works with any Zod schema of this project's Zod.
 */
import { z } from 'zod';

export interface ValidationError {
  /** Members and indexes joined by dots; empty for the value itself. */
  readonly path: string;
  readonly message: string;
  readonly code: string;
  /** What stands there; absent where nothing does. */
  readonly value?: unknown;
}

export interface ValidationWarning {
  readonly path: string;
  readonly message: string;
  readonly code: string;
}

export interface ValidationResult {
  readonly valid: boolean;
  readonly errors: readonly ValidationError[];
  /** Members that the schema does not know: allowed, and often a typing error. */
  readonly warnings: readonly ValidationWarning[];
}

export interface ContractTest {
  readonly name: string;
  readonly description: string;
  readonly schema: z.ZodType;
  readonly testData: unknown;
  readonly expectedValid: boolean;
}

export interface ContractTestSuite {
  readonly name: string;
  readonly tests: readonly ContractTest[];
}

export interface SuiteResult {
  readonly passed: number;
  readonly failed: number;
  /** By `<suite>.<test>`: the tests of this suite. */
  readonly results: ReadonlyMap<string, ValidationResult>;
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined,
    data,
  );
}

function toError(issue: z.core.$ZodIssue, data: unknown): ValidationError {
  const value = issue.path.length === 0 ? undefined : valueAt(data, issue.path);
  return {
    path: issue.path.map(String).join('.'),
    message: issue.message,
    code: issue.code,
    ...(value === undefined ? {} : { value }),
  };
}

function unknownMembers(schema: z.ZodType, data: unknown): ValidationWarning[] {
  if (!(schema instanceof z.ZodObject) || typeof data !== 'object' || data === null) return [];
  return Object.keys(data)
    .filter((key) => !Object.hasOwn(schema.shape as object, key))
    .map((path) => ({
      path,
      message: `"${path}" is not a member of the schema and is ignored`,
      code: 'unknown_member',
    }));
}

/**
 * Validates data and remembers the results by context.
 *
 * A class, where this project has factories elsewhere, because the guide constructs it with `new`.
 */
export class ContractValidator {
  private readonly results = new Map<string, ValidationResult>();

  /**
   * @param _useGlobalCache - accepted for callers of the guide's API; nothing is cached: a result
   * belongs to one schema and one value, and comparing values costs as much as validating them
   */
  constructor(_useGlobalCache = true) {}

  /**
   * Checks a value.
   * @param context - remembers the result under this name, see {@link getResults}
   */
  validate(schema: z.ZodType, data: unknown, context?: string): ValidationResult {
    const parsed = schema.safeParse(data);
    const errors = parsed.success ? [] : parsed.error.issues.map((issue) => toError(issue, data));
    const result: ValidationResult = {
      valid: parsed.success,
      errors,
      warnings: unknownMembers(schema, data),
    };
    if (context !== undefined) this.results.set(context, result);
    return result;
  }

  /** Checks what is there; members that are missing are not missed. Schemas that are no objects are checked whole. */
  validatePartial(schema: z.ZodType, data: unknown, context?: string): ValidationResult {
    return this.validate(schema instanceof z.ZodObject ? schema.partial() : schema, data, context);
  }

  /** Runs a suite; a test passes when its data is as valid as it expects. */
  runTestSuite(suite: ContractTestSuite): SuiteResult {
    const results = new Map<string, ValidationResult>();
    let passed = 0;
    for (const test of suite.tests) {
      const name = `${suite.name}.${test.name}`;
      const result = this.validate(test.schema, test.testData, name);
      results.set(name, result);
      if (result.valid === test.expectedValid) passed += 1;
    }
    return { passed, failed: suite.tests.length - passed, results };
  }

  /** A copy of the results that were given a context. */
  getResults(): Map<string, ValidationResult> {
    return new Map(this.results);
  }

  clearResults(): void {
    this.results.clear();
  }
}
