import type { FileReference } from '@controlplane/contracts';
import { RunnerError } from '../errors/runner-error.js';
import { readWhole } from '../util/read-whole.js';
import { sayThrown } from '../util/safe-json.js';
import type { HandlerScope } from './handler-scope.js';
import { readVerified } from './job-files.js';
import { operationOf } from './outcome.js';
import type { RunningExecution } from './running-executions.js';
import { checkValue, type Checked } from './schema-check.js';

/** Bytes of JSON of an input that a runner reads into its memory. */
const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;

/** Fetches the input of an execution that did not travel with it, and checks it as any other. */
export async function fetchInput(
  scope: HandlerScope,
  execution: RunningExecution,
  file: FileReference,
): Promise<Checked> {
  const { capability } = execution;
  const refuse = (why: string): RunnerError =>
    new RunnerError('FILE_MISSING', `${operationOf(capability)}: the input ${why}`);
  if (file.bytes > MAX_PAYLOAD_BYTES)
    throw refuse(`has ${file.bytes} bytes; at most ${MAX_PAYLOAD_BYTES} are read`);
  const { content } = await readWhole(
    readVerified(scope, execution, { file, words: 'the file of the input' }),
  );
  let value: unknown;
  try {
    value = JSON.parse(content.toString('utf8'));
  } catch (error) {
    throw refuse(`is no JSON: ${sayThrown(error)}`);
  }
  return checkValue(capability.input, value, 'input');
}
