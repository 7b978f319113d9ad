import { envelopeOf, type ErrorEnvelope, type RunnerExecutionRequest } from '@controlplane/contracts';
import type {
  SwarmletExecDone,
  SwarmletExecError,
  SwarmletExecRequest,
} from '@controlplane/contracts/swarmlet';
import { errorOfText, outcomeOf, type CommandEnd, type CommandOutput } from '../command-outcome.js';
import type { Outcome } from '../foreign-execution.js';
import type { ShellLine } from '../shell-line.js';

/** An execution as an `exec_request`. */
export function toExecRequest(
  jobId: string,
  { timeoutMs }: Pick<RunnerExecutionRequest, 'timeoutMs'>,
  { command }: ShellLine,
): SwarmletExecRequest {
  // 0 would be no limit.
  return {
    type: 'exec_request',
    job_id: jobId,
    command,
    timeout_secs: Math.max(1, Math.ceil(timeoutMs / 1000)),
  };
}

/** What the last frame of a command says of its end. */
export function toOutcome(
  frame: SwarmletExecDone | SwarmletExecError,
  { exitCodes, cancelled }: Pick<CommandEnd, 'exitCodes' | 'cancelled'>,
  output: CommandOutput,
): Outcome {
  if (frame.type === 'exec_done') {
    const { exit_code: exitCode, duration_ms: durationMs } = frame;
    return outcomeOf({ exitCode, durationMs, exitCodes, cancelled }, output);
  }
  if (cancelled !== undefined) return { type: 'cancelled', reason: cancelled, message: frame.error };
  return { type: 'failed', error: errorOf(frame.error), ...(isNotBegun(frame.error) && { notBegun: true }) };
}

/** Swarmlet's own words, and those of a runner of ours that is shutting down: both are said before a command begins. */
const isNotBegun = (text: string): boolean => /^(?:runner is busy|RUNNER_DRAINING: )/i.test(text);

/** In the words of Swarmlet's own runner; whatever else has a code says so. */
function errorOf(text: string): ErrorEnvelope {
  if (/^command timed out/i.test(text))
    return envelopeOf('EXECUTION_TIMEOUT', { service: 'jobforge', message: text });
  if (/^runner is busy/i.test(text)) return envelopeOf('RUNNER_BUSY', { service: 'jobforge', message: text });
  return errorOfText(text, 'COMMAND_REFUSED');
}
