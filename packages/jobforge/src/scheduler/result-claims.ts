import { envelopeOf, type ErrorEnvelope, type SucceededEvent } from '@controlplane/contracts';
import { resultFileText } from '../model/result-text.js';
import { hideInEnvelope } from './execution-secrets.js';
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

/** Why the data of a success are not what the capability promises; undefined where they are, or nothing is promised. */
function mismatchOf({ runner, lease }: Execution, data: unknown): ErrorEnvelope | undefined {
  const details = runner.outputs.get(lease.capabilityId)?.(data);
  if (details === undefined) return undefined;
  return envelopeOf('OUTPUT_INVALID', {
    service: 'jobforge',
    message: `The result does not match the output schema of ${lease.capabilityId}, which ${runner.name} registered.`,
    details,
  });
}

/** A success as it may be kept, and as it came: with the values of secrets. */
export interface Told {
  readonly event: SucceededEvent;
  readonly said: SucceededEvent;
}

/** The result of an execution as it is stored, undefined where it has none; an error where its file is none. */
export function resultTextOf(
  state: Pick<LiveState, 'files'>,
  execution: Execution,
  { event: { data, dataFile }, said }: Told,
): string | undefined | ErrorEnvelope {
  if (dataFile !== undefined) return refusalOf(state, execution, dataFile) ?? resultFileText(dataFile);
  // A runner that says nothing of its result is taken at its word; a file is checked by the runner alone.
  if (data === undefined) return undefined;
  // What stands for a secret need not match.
  const mismatch = mismatchOf(execution, said.data);
  if (mismatch === undefined) return JSON.stringify(data);
  return execution.hides === undefined ? mismatch : hideInEnvelope(mismatch, execution.hides);
}
