import { QUARTERBACK_TIMEOUT_SECONDS, type QuarterbackAssignment } from '@controlplane/contracts/quarterback';
import type { RunnerManifest } from '@controlplane/contracts';
import { RunnerError } from '../../errors/runner-error.js';
import type { ExecutionRequest } from '../../execution/execute.js';
import { MAX_TIMER_MS } from '../../util/clock.js';
import type { QuarterbackWork, ResolvedQuarterbackOptions } from './options.js';

/** Where containers find the files of their execution. */
const INPUT_FOLDER = '/job/input';

/** Where a task finds the folder of its runner. */
const HOME_FOLDER = '/workspace/Victoria';

/** A task as a container, with the words that the control plane's own runner starts one with. */
function containerPayload(
  { taskId, prompt, files }: QuarterbackWork,
  { image, home }: ResolvedQuarterbackOptions,
): Record<string, unknown> {
  return {
    image,
    command: ['--accept-license', '--task', prompt],
    env: { TASK_ID: taskId, ...(files.length === 0 ? {} : { TASK_FILES_DIR: INPUT_FOLDER }) },
    ...(files.length === 0 ? {} : { files }),
    ...(home === undefined ? {} : { mounts: [{ source: home, target: HOME_FOLDER, readonly: false }] }),
  };
}

/**
 * Looks whether the runner can do what this control plane sends.
 * @throws RunnerError `INVALID_OPTION` where it cannot
 */
export function checkCapability(
  { capabilities }: RunnerManifest,
  { capability }: ResolvedQuarterbackOptions,
): void {
  if (capabilities.some(({ id }) => id === capability)) return;
  throw new RunnerError(
    'INVALID_OPTION',
    `host "quarterback" sends tasks for containers, and this runner has no capability ${capability}: add container() of @controlplane/capabilities/container, or name another by the host's options "capability" and "payload"`,
  );
}

/** Milliseconds that a task may take; 0 is what the control plane calls no limit: 24.8 days. */
export function timeoutMsOf({ timeout_seconds: seconds }: QuarterbackAssignment): number {
  const limit = seconds ?? QUARTERBACK_TIMEOUT_SECONDS;
  return limit === 0 ? MAX_TIMER_MS : Math.min(limit * 1_000, MAX_TIMER_MS);
}

/**
 * An assignment as an execution.
 * @param executionId - unique over all hosts of the runner
 */
export function toRequest(
  assignment: QuarterbackAssignment,
  files: QuarterbackWork['files'],
  { executionId, options }: { readonly executionId: string; readonly options: ResolvedQuarterbackOptions },
): ExecutionRequest {
  const { task_id: taskId, prompt } = assignment;
  const work: QuarterbackWork = { taskId, prompt, files };
  return {
    jobId: executionId,
    executionId,
    attempt: 1,
    moduleId: 'quarterback',
    capabilityId: options.capability,
    payload: options.payload ? options.payload(work) : containerPayload(work, options),
    timeoutMs: timeoutMsOf(assignment),
    metadata: {},
  };
}
