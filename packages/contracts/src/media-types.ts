/** One JSON document a line; each line ends with `\n`. */
export const NDJSON = 'application/x-ndjson';

const JSON_TYPE = 'application/json';

/**
 * Reads the execute endpoint's three forms by their headers.
 *
 * - `accept: application/json` (or none): the reply is one `RunnerExecutionResponse`.
 * - `accept: application/x-ndjson`: the reply is every `ExecutionEvent`, a line each, as it happens.
 * - `content-type: application/x-ndjson`: the body is one `RunnerExecutionRequest` a line, for runners
 *   with the feature `batch`; the reply is the events of all of them, mixed, each with its executionId.
 */
export function executeForm(headers: {
  readonly accept?: string | undefined;
  readonly contentType?: string | undefined;
}): 'json' | 'ndjson' | 'batch' {
  if (headers.contentType === JSON_TYPE && (headers.accept ?? JSON_TYPE) === JSON_TYPE) return 'json';
  if (headers.contentType?.split(';')[0]?.trim().toLowerCase() === NDJSON) return 'batch';
  return headers.accept?.toLowerCase().includes(NDJSON) ? 'ndjson' : 'json';
}
