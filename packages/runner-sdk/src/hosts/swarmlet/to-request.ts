import type { SwarmletExecRequest } from '@controlplane/contracts/swarmlet';
import type { ExecutionRequest } from '../../execution/execute.js';
import { MAX_TIMER_MS } from '../../util/clock.js';
import type { CommandLine } from '../command-line.js';

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
    // What Swarmlet calls no limit: 24.8 days.
    timeoutMs: seconds === 0 ? MAX_TIMER_MS : Math.min(seconds * 1000, MAX_TIMER_MS),
    metadata: {},
  };
}
