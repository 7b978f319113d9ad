import type { SwarmletExecRequest } from '@controlplane/contracts/swarmlet';
import type { ExecutionRequest } from '../../execution/execute.js';
import type { CommandLine } from '../command-line.js';

/** The longest that a timer holds, 24.8 days: what Swarmlet calls no limit. */
const NO_LIMIT_MS = 2_147_483_647;

/**
 * An `exec_request` as an execution.
 * @param executionId - unique over all hosts of the runner
 * @throws RunnerError `INVALID_OPTION` for a line that the capability cannot be given
 */
export function toRequest(
  { command, timeout_secs: seconds }: SwarmletExecRequest,
  executionId: string,
  line: CommandLine,
): ExecutionRequest {
  return {
    jobId: executionId,
    executionId,
    attempt: 1,
    moduleId: 'swarmlet',
    capabilityId: line.capabilityId,
    payload: line.payload(command),
    timeoutMs: seconds === 0 ? NO_LIMIT_MS : Math.min(seconds * 1000, NO_LIMIT_MS),
    metadata: {},
  };
}
