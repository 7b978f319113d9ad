/**
 * @module
 * embedded/ is what a program that holds JobForge in its own process works with, beside the operations themselves.
 * It imports contracts and model/.
 */
import {
  isFinalStatus,
  JobSubmission,
  type CancelReason,
  type JobEvent,
  type JobFile,
  type JobResponse,
  type JobResult,
} from '@controlplane/contracts';
import type { z } from 'zod';
import { isJobForgeError, JobForgeError } from '../model/job-forge-error.js';
import { unknownNames } from '../model/near-name.js';
import type { FilesInput } from './bring-files.js';
import type { JobEventsOptions, Operations } from '../model/operations.js';

/** A job as a program submits it. */
export interface JobInput {
  /** Id of the capability. */
  readonly capability: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** The same id and input twice is one job. Default: a new one. */
  readonly id?: string;
  /** Default: the capability's id. */
  readonly type?: string;
  /** 0–100, higher first. Default: 50. */
  readonly priority?: number;
  readonly retryPolicy?: z.input<typeof JobSubmission>['retryPolicy'];
  /** Limit of one attempt. Default: the capability's own. */
  readonly timeoutMs?: number;
  readonly metadata?: z.input<typeof JobSubmission>['metadata'];
  /** Which runners may take it. Default: any that offers the capability. */
  readonly placement?: z.input<typeof JobSubmission>['placement'];
  /** Holds back jobs that share a key. Default: none. */
  readonly concurrency?: z.input<typeof JobSubmission>['concurrency'];
  /** Whom its end is told. */
  readonly webhook?: z.input<typeof JobSubmission>['webhook'];
  /** Files that its handler reads by `ctx.files`, by name. Default: none. */
  readonly files?: FilesInput;
}

/** A job that was submitted. */
export interface JobHandle {
  readonly id: string;
  show(): Promise<JobResponse>;
  /** What has happened, then what happens; ends after the job has. */
  events(options?: JobEventsOptions): AsyncIterable<JobEvent>;
  /** Resolves when the job has ended, however it did: see `success`. */
  result(): Promise<JobResult>;
  cancel(reason?: CancelReason): Promise<JobResponse>;
}

const INPUT_NAMES: readonly (keyof JobInput)[] = [
  'capability',
  'input',
  'id',
  'type',
  'priority',
  'retryPolicy',
  'timeoutMs',
  'metadata',
  'placement',
  'concurrency',
  'webhook',
  'files',
];

/**
 * Reads a job as the contract has it.
 * @param files - what it brings, once that was put where it can be named
 * @throws JobForgeError VALIDATION_ERROR with the paths of what is wrong
 */
export function toSubmission(job: JobInput, files?: readonly JobFile[]): JobSubmission {
  const unknown = unknownNames(job, INPUT_NAMES);
  if (unknown !== undefined)
    throw new JobForgeError('VALIDATION_ERROR', { message: `submit does not know ${unknown}.` });
  const { capability, input, files: _brought, ...rest } = job;
  const read = JobSubmission.safeParse({
    ...rest,
    type: rest.type ?? capability,
    payload: { type: capability, data: input },
    ...(files === undefined ? {} : { files }),
  });
  if (read.success) return read.data;
  const details = read.error.issues.map(({ path, message, code }) => ({
    path: path.map(String),
    message,
    code,
  }));
  throw new JobForgeError('VALIDATION_ERROR', { message: 'The job does not match the contract.', details });
}

const ENDINGS: ReadonlySet<string> = new Set(['job.completed', 'job.failed', 'job.cancelled', 'job.expired']);

/** Waits until there is a reason to look at the job again; false when there will be none. */
async function waitForEnd(operations: Operations, id: string): Promise<boolean> {
  try {
    for await (const { type } of operations.jobEvents(id)) if (ENDINGS.has(type)) return true;
    return false;
  } catch (error) {
    // What came in between does not matter here.
    if (isJobForgeError(error) && error.envelope.code === 'SUBSCRIBER_TOO_SLOW') return true;
    throw error;
  }
}

/** A result with its data, also where that is a file. */
async function whole(operations: Operations, jobId: string, result: JobResult): Promise<JobResult> {
  const { dataFile } = result;
  if (dataFile === undefined || result.data !== undefined) return result;
  const { body } = await operations.getFile(dataFile.sha256, { jobId });
  let text = '';
  const decoder = new TextDecoder();
  for await (const piece of body) text += decoder.decode(piece, { stream: true });
  return { ...result, data: JSON.parse(text + decoder.decode()) as unknown };
}

async function endOf(operations: Operations, id: string): Promise<JobResult> {
  for (;;) {
    // Files that hold what it was given are not read for its end.
    const job = await operations.showJob(id, { plain: true });
    if (isFinalStatus(job.status) && job.result !== undefined) return whole(operations, id, job.result);
    if (await waitForEnd(operations, id)) continue;
    throw new JobForgeError('SHUTTING_DOWN', {
      message: `JobForge stopped before the job "${id}" had ended.`,
    });
  }
}

/** A handle of a job, by its id alone. */
export function createJobHandle(operations: Operations, id: string): JobHandle {
  return {
    id,
    show: () => operations.showJob(id),
    events: (options) => operations.jobEvents(id, options),
    result: () => endOf(operations, id),
    cancel: (reason) => operations.cancelJob(id, reason),
  };
}
