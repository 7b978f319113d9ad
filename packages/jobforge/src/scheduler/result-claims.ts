import { envelopeOf, type ErrorEnvelope, type SucceededEvent } from '@controlplane/contracts';
import { resultFileText } from '../model/result-text.js';
import type { Execution } from './live-job.js';
import type { LiveState } from './live-state.js';

const invalid = (message: string, remedy: string): ErrorEnvelope =>
  envelopeOf('OUTPUT_INVALID', { service: 'jobforge', message, remedy });

/** Why the file that an execution names as its result is none; undefined where it is. */
function refusalOf(
  { files: { carried } }: Pick<LiveState, 'files'>,
  { job, hides }: Execution,
  { sha256, bytes }: NonNullable<SucceededEvent['dataFile']>,
): ErrorEnvelope | undefined {
  // Nothing looks for the values of secrets in files.
  if (hides !== undefined)
    return invalid(
      'The execution was given secrets, and named a file as its result.',
      'Return the result in the last event, or leave what is large as an artifact.',
    );
  const kept = carried.sizeOf(job.id, sha256);
  if (kept === bytes) return undefined;
  const found = kept === undefined ? 'has not arrived' : `has ${kept} bytes`;
  return invalid(
    `The result is named as a file of ${bytes} bytes with the SHA-256 ${sha256}, which ${found}.`,
    'Put the result before the event that names it; replicas need one folder for their files.',
  );
}

/** The result of an execution as it is stored, undefined where it has none; an error where its file is none. */
export function resultTextOf(
  state: Pick<LiveState, 'files'>,
  execution: Execution,
  { data, dataFile }: SucceededEvent,
): string | undefined | ErrorEnvelope {
  if (dataFile !== undefined) return refusalOf(state, execution, dataFile) ?? resultFileText(dataFile);
  return data === undefined ? undefined : JSON.stringify(data);
}
