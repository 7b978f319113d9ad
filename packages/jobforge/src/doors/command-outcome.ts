import {
  createErrorEnvelope,
  envelopeOf,
  isErrorCode,
  type CancelReason,
  type ErrorEnvelope,
} from '@controlplane/contracts';
import type { Outcome } from './foreign-execution.js';
import { createKeptOutput } from './kept-output.js';

/** Bytes of each stream that are kept for the result. */
const MAX_OUTPUT_BYTES = 50 * 1024;
/** What is shown of the output in an error: the last of it, where programs say what went wrong. */
const SHOWN_LENGTH = 4_096;

/** The output of one command, stream by stream. */
export type CommandOutput = ReturnType<typeof createCommandOutput>;

export const createCommandOutput = () => ({
  stdout: createKeptOutput(MAX_OUTPUT_BYTES),
  stderr: createKeptOutput(MAX_OUTPUT_BYTES),
});

/** How a program ended, as far as its runner says. */
export interface CommandEnd {
  readonly exitCode: number;
  readonly durationMs: number;
  /** That count as success. */
  readonly exitCodes: readonly number[];
  /** Why it was told to stop; undefined where it was not. */
  readonly cancelled: CancelReason | undefined;
}

const lastOf = (text: string): string =>
  text.length > SHOWN_LENGTH ? `…${text.slice(-SHOWN_LENGTH)}` : text;

function failure({ exitCode, durationMs }: CommandEnd, { stdout, stderr }: CommandOutput): ErrorEnvelope {
  const value = { exitCode, durationMs, stdout: lastOf(stdout.text()), stderr: lastOf(stderr.text()) };
  return createErrorEnvelope({
    code: 'COMMAND_FAILED',
    category: 'RUNTIME_ERROR',
    severity: 'error',
    message: `the command ended with exit code ${exitCode} after ${durationMs} ms`,
    details: [{ message: 'how the command ended', code: 'COMMAND_END', value }],
    service: 'jobforge',
    retryable: false,
    remedy: 'Read what it printed; name other codes that count as success in `exitCodes`.',
  });
}

/** What a job is told of a program that has ended: what our own capability for commands would tell. */
export function outcomeOf(end: CommandEnd, { stdout, stderr }: CommandOutput): Outcome {
  const { exitCode, durationMs, exitCodes, cancelled } = end;
  if (cancelled !== undefined) return { type: 'cancelled', reason: cancelled };
  if (!exitCodes.includes(exitCode)) return { type: 'failed', error: failure(end, { stdout, stderr }) };
  return {
    type: 'succeeded',
    data: {
      ...{ exitCode, durationMs },
      stdout: stdout.text(),
      stderr: stderr.text(),
      stdoutBytes: stdout.totalBytes(),
      stderrBytes: stderr.totalBytes(),
      droppedBytes: stdout.droppedBytes() + stderr.droppedBytes(),
    },
  };
}

/** A runner of ours says by this what became of an execution where the protocol has free text alone. */
const CODED = /^([A-Z][A-Z0-9_]{2,127}): (.*)$/s;
const MAX_MESSAGE = 2_000;

/**
 * An error for which there is nothing but a text.
 * @param fallback - code of what no runner of ours has worded
 */
export function errorOfText(text: string, fallback: string): ErrorEnvelope {
  const [, code = fallback, message = text] = CODED.exec(text) ?? [];
  const said = { service: 'jobforge', message: message.slice(0, MAX_MESSAGE) };
  if (isErrorCode(code)) return envelopeOf(code, said);
  return createErrorEnvelope({
    ...{ ...said, code, category: 'RUNTIME_ERROR', severity: 'error', retryable: false },
  });
}
