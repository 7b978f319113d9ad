import { envelopeOf, type ErrorCode, type RunnerExecutionRequest } from '@controlplane/contracts';
import {
  SWAMP_PROTOCOL_VERSION,
  SWAMP_SHELL,
  type SwampDispatch,
  type SwampFrame,
  type SwampResult,
} from '@controlplane/contracts/swamp';
import { z } from 'zod';
import { errorOfText, outcomeOf, type CommandEnd, type CommandOutput } from '../command-outcome.js';
import type { Outcome } from '../foreign-execution.js';
import { createKeptOutput } from '../kept-output.js';
import type { ShellDialect } from '../shell-capability.js';
import { toLine, type ShellLine } from '../shell-line.js';

/** What swamp's shell takes beside the line. */
const Native = z.looseObject({
  cwd: z.string().min(1).optional(),
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).optional(),
});

/** A command as it was asked for. */
export interface AskedCommand {
  readonly dispatch: SwampDispatch;
  readonly exitCodes: ShellLine['exitCodes'];
}

/**
 * An execution as a dispatch of the shell.
 * @param credential - for what it writes
 * @throws JobForgeError VALIDATION_ERROR for what the runner does not understand
 */
export function toDispatch(
  { payload, timeoutMs, executionId = '', leaseToken = '' }: RunnerExecutionRequest,
  dialect: ShellDialect,
  credential: string,
): AskedCommand {
  const native = dialect === 'posix' ? Native.safeParse(payload).data : undefined;
  const { cwd, env, ...rest } = native ?? {};
  const { command, exitCodes } = toLine(native === undefined ? payload : rest, dialect);
  const isZero = exitCodes.length === 1 && exitCodes[0] === 0;
  const methodArgs = {
    run: command,
    timeout: timeoutMs,
    ...(cwd !== undefined && { workingDir: cwd }),
    ...(env !== undefined && { env }),
    // Else its own rule is ours, and no more is needed to know the code.
    ...(!isZero && { ignoreExitCode: true }),
  };
  const dispatch: SwampDispatch = {
    dispatchId: executionId,
    leaseId: leaseToken === '' ? executionId : `lease-${executionId}`,
    execution: {
      ...{ ...SWAMP_SHELL, protocolVersion: SWAMP_PROTOCOL_VERSION, modelId: 'jobforge', globalArgs: {} },
      ...{ methodArgs, definitionMeta: { id: 'jobforge', name: 'jobforge', version: 1, tags: {} } },
    },
    bundleFingerprint: `builtin:${SWAMP_SHELL.modelType}`,
    reportBundleFingerprints: [],
    // Nothing of JobForge's own process goes to a runner.
    environmentSnapshot: {},
    dispatchCredential: credential,
  };
  return { dispatch, exitCodes };
}

/** What a command wrote of its own end. */
export const ShellRecord = z.looseObject({
  exitCode: z.number().int(),
  stdout: z.string().default(''),
  stderr: z.string().default(''),
});
export type ShellRecord = z.infer<typeof ShellRecord>;

/** What is known of a command beside its answer. */
export interface CommandFacts extends Pick<CommandEnd, 'exitCodes' | 'cancelled'> {
  /** What it wrote; undefined where it wrote nothing. */
  readonly record: ShellRecord | undefined;
  /** What was streamed. */
  readonly output: CommandOutput;
}

function failed(code: ErrorCode, message: string): Extract<Outcome, { type: 'failed' }> {
  return { type: 'failed', error: envelopeOf(code, { service: 'jobforge', message }) };
}

const whole = (text: string): CommandOutput['stdout'] => {
  const kept = createKeptOutput(Infinity);
  kept.push(text);
  return kept;
};

function ended(exitCode: number, { durationMs }: SwampResult, facts: CommandFacts): Outcome {
  const { record, output, exitCodes, cancelled } = facts;
  // What it wrote is whole; what was streamed has lost how its last line ended.
  const printed = record ? { stdout: whole(record.stdout), stderr: whole(record.stderr) } : output;
  return outcomeOf({ exitCode, durationMs, exitCodes, cancelled }, printed);
}

/** The answer to a dispatch. */
export function toOutcome(result: SwampResult, facts: CommandFacts): Outcome {
  const { status, error = 'the runner said nothing of why' } = result;
  if (status === 'success') {
    const isZero = facts.exitCodes.length === 1 && facts.exitCodes[0] === 0;
    const exitCode = facts.record?.exitCode ?? (isZero ? 0 : undefined);
    if (exitCode !== undefined) return ended(exitCode, result, facts);
    return failed(
      'RUNNER_PROTOCOL_ERROR',
      'The runner ended the command and wrote no exit code, which the job asks for by `exitCodes`.',
    );
  }
  if (facts.cancelled !== undefined) return { type: 'cancelled', reason: facts.cancelled, message: error };
  const code = /^command exited with code (\d+)/i.exec(error)?.[1];
  if (code !== undefined) return ended(Number(code), result, facts);
  if (/^command timed out/i.test(error)) return failed('EXECUTION_TIMEOUT', error);
  return { type: 'failed', error: errorOfText(error, 'COMMAND_REFUSED') };
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  worker_busy: 'RUNNER_BUSY',
  worker_draining: 'RUNNER_DRAINING',
  cancelled: 'RUNNER_SHUTDOWN',
  protocol_mismatch: 'CONTRACT_MISMATCH',
};

/** By these it says that it has not begun. */
const NOT_BEGUN: ReadonlySet<string> = new Set(['worker_busy', 'worker_draining']);

/** An answer that is no result. */
export function refusedOutcome(
  { code, message }: Extract<SwampFrame, { type: 'rpc.error' }>['error'],
  cancelled: CommandEnd['cancelled'],
): Outcome {
  if (cancelled !== undefined) return { type: 'cancelled', reason: cancelled, message };
  const known = CODES[code];
  if (known !== undefined)
    return { ...failed(known, message), ...(NOT_BEGUN.has(code) && { notBegun: true }) };
  return { type: 'failed', error: errorOfText(message, 'COMMAND_REFUSED') };
}
