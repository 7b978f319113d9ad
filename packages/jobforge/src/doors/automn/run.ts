import { createErrorEnvelope, envelopeOf, type ErrorCode, type ErrorEnvelope } from '@controlplane/contracts';
import type { RunnerExecutionRequest } from '@controlplane/contracts';
import type { AutomnResult, AutomnRun } from '@controlplane/contracts/automn';
import { z } from 'zod';
import { JobForgeError } from '../../model/job-forge-error.js';
import { createCommandOutput, outcomeOf } from '../command-outcome.js';
import type { Outcome } from '../foreign-execution.js';
import { AUTOMN_LANGUAGES, withJob, type AutomnLanguage } from './script-shim.js';

/** The input of a script, as our own capability takes it. */
const Input = z.object({
  language: z.enum(Object.keys(AUTOMN_LANGUAGES) as [AutomnLanguage, ...AutomnLanguage[]]),
  code: z.string().min(1),
  variables: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).default({}),
  input: z.unknown().optional(),
  exitCodes: z.array(z.number().int()).min(1).default([0]),
});

/** What our own capability takes beside that. */
const UNSPOKEN = ['args', 'stdin', 'dependencies', 'limits'] as const;

/** A script as it was asked for. */
export interface AskedScript {
  readonly run: AutomnRun;
  readonly exitCodes: readonly number[];
  /** Milliseconds. */
  readonly timeoutMs: number;
}

/**
 * An execution as a job of Automn's.
 * @throws JobForgeError VALIDATION_ERROR for what its runners do not understand
 */
export function toRun(
  executionId: string,
  { payload, timeoutMs, jobId }: Pick<RunnerExecutionRequest, 'payload' | 'timeoutMs' | 'jobId'>,
): AskedScript {
  const unspoken = UNSPOKEN.find((name) => payload[name] !== undefined);
  const read = Input.safeParse(payload);
  if (unspoken !== undefined || !read.success)
    throw new JobForgeError('VALIDATION_ERROR', {
      message:
        unspoken === undefined
          ? `The input is no script that a runner of Automn takes: ${read.error?.issues[0]?.path.join('.')} ${read.error?.issues[0]?.message}`
          : `The runner that took this job cannot be given \`${unspoken}\`: its protocol has no words for it.`,
      remedy: 'Leave it out, or name a runner of JobForge’s own by `runner` or `labels`.',
    });
  const { language, code, variables, input, exitCodes } = read.data;
  const run: AutomnRun = {
    runId: executionId,
    script: {
      ...{ id: jobId, name: `job ${jobId}`, language: AUTOMN_LANGUAGES[language] },
      code: withJob(language, code),
      timeout: Math.max(1, Math.ceil(timeoutMs / 1000)),
      preassignedRunId: executionId,
      variables: Object.entries(variables).map(([envName, value]) => ({ envName, value, scope: 'job' })),
      jobContext: {},
    },
    reqBody: input ?? {},
  };
  return { run, exitCodes, timeoutMs };
}

function failed(code: ErrorCode, message: string): Extract<Outcome, { type: 'failed' }> {
  return { type: 'failed', error: envelopeOf(code, { service: 'jobforge', message }) };
}

const notBegun = (code: ErrorCode, message: string): Outcome => ({
  ...failed(code, message),
  notBegun: true,
});

/** A script that ran into its time limit has no word of its own for that. */
function isTimeout({ stderr, code, duration }: AutomnResult, timeoutMs: number): boolean {
  return code !== 0 && duration >= timeoutMs && /timeout exceeded\.\s*$/i.test(stderr);
}

function notInstalled({ stderr, errorCode = 'DEPENDENCIES_NOT_INSTALLED' }: AutomnResult): ErrorEnvelope {
  return createErrorEnvelope({
    ...{ code: errorCode, category: 'RUNTIME_ERROR', severity: 'error', service: 'jobforge' },
    message: `the packages of the script could not be installed: ${stderr.slice(-2_000)}`,
    retryable: true,
  });
}

const LEVELS: Readonly<Record<string, string>> = { success: 'info' };

/** What our own capability says of a script, beside how its program ended. */
const saidBy = ({ returnData, automnLogs, automnNotifications, input }: AutomnResult): object => ({
  data: returnData ?? null,
  logs: automnLogs.map(({ level, message }) => ({ level: LEVELS[level] ?? level, message })),
  notifications: automnNotifications.map(({ level, message, audience }) => ({
    ...{ level, message },
    ...(audience === null ? {} : { audience }),
  })),
  input: input ?? null,
});

/** The end of a script. */
export function toOutcome(result: AutomnResult, { exitCodes, timeoutMs }: AskedScript): Outcome {
  if (isTimeout(result, timeoutMs))
    return failed('EXECUTION_TIMEOUT', `The script did not end within ${timeoutMs} ms.`);
  if (result.errorCode !== undefined) return { type: 'failed', error: notInstalled(result) };
  const output = createCommandOutput();
  output.stdout.push(result.stdout);
  output.stderr.push(result.stderr);
  const end = { exitCode: result.code, durationMs: Math.round(result.duration), exitCodes };
  const outcome = outcomeOf({ ...end, cancelled: undefined }, output);
  if (outcome.type !== 'succeeded') return outcome;
  return { type: 'succeeded', data: { ...(outcome.data as object), ...saidBy(result) } };
}

/** An answer that is none to a job. */
export function refusedOutcome(status: number, error: string): Outcome {
  const message = `The runner answered ${status}: ${error.slice(0, 500)}`;
  if (status === 429) return notBegun('RUNNER_BUSY', message);
  if (status === 503)
    return notBegun(/shutting down/i.test(error) ? 'RUNNER_DRAINING' : 'RUNNER_UNREACHABLE', message);
  if (status === 400) return failed('VALIDATION_ERROR', message);
  return failed('RUNNER_PROTOCOL_ERROR', message);
}

/** How a connection ended before the result of its script came. */
export function lostOutcome(isDelivered: boolean, reason: string): Outcome {
  // What was sent may have begun, and goes on where nobody hears of it.
  if (isDelivered)
    return failed('RUNNER_LOST', `The connection to the runner ended before the script did: ${reason}.`);
  return notBegun('RUNNER_UNREACHABLE', `The runner could not be reached: ${reason}.`);
}
