import type { ErrorDetail } from '@controlplane/contracts';
import type { StandardSchemaV1 } from '@standard-schema/spec';

/** What a schema made of a value, or the places that it refused. */
export type Checked =
  | { readonly value: unknown; readonly problems?: undefined }
  | { readonly problems: readonly ErrorDetail[] };

const MAX_PROBLEMS = 20;

function toProblems(issues: readonly StandardSchemaV1.Issue[], root: string): ErrorDetail[] {
  return issues.slice(0, MAX_PROBLEMS).map(({ message, path = [] }) => ({
    path: [root, ...path.map((part) => String(typeof part === 'object' ? part.key : part))],
    message,
  }));
}

function toChecked(result: StandardSchemaV1.Result<unknown>, root: string): Checked {
  return result.issues ? { problems: toProblems(result.issues, root) } : result;
}

/**
 * Checks a value; only a schema with asynchronous parts answers with a promise.
 * @param schema - the schema
 * @param value - the value
 * @param root - the first part of every path: `input` or `output`
 * @throws whatever the schema's own code throws
 */
export function checkValue(
  schema: StandardSchemaV1,
  value: unknown,
  root: string,
): Checked | Promise<Checked> {
  const result = schema['~standard'].validate(value);
  return result instanceof Promise
    ? result.then((settled) => toChecked(settled, root))
    : toChecked(result, root);
}

/** The problems in one sentence: `input.width: too small; input.url: …`. */
export function describeProblems(problems: readonly ErrorDetail[]): string {
  const shown = problems.slice(0, 3).map(({ path = [], message }) => `${path.join('.')}: ${message}`);
  const more = problems.length - shown.length;
  return shown.join('; ') + (more > 0 ? `; and ${more} more` : '');
}
