import { constants } from 'node:os';
import { CapabilityError } from '@controlplane/runner-sdk';
import { createCapturedOutput, type CapturedOutput } from './captured-output.js';
import type { ProgramResult } from './program-result.js';
import type { ProcessEnd } from './run-process.js';

/** What is shown of the output in an error: the last of it, where programs say what went wrong. */
const SHOWN_LENGTH = 4_096;

/** Signals by which the system ends what exceeds a limit. */
const LIMIT_SIGNALS: Readonly<Partial<Record<NodeJS.Signals, string>>> = {
  SIGXCPU: 'processor time',
  SIGXFSZ: 'the size of a file',
};

/** The output of one command, stream by stream. */
export interface Captured {
  readonly stdout: CapturedOutput;
  readonly stderr: CapturedOutput;
}

const lastOf = (text: string): string =>
  text.length > SHOWN_LENGTH ? `…${text.slice(-SHOWN_LENGTH)}` : text;

/** A shell says by 128 + n that signal n ended its program. */
function signalBehind({ exitCode, signal }: ProcessEnd): NodeJS.Signals | undefined {
  if (signal !== null) return signal;
  const names = Object.entries(constants.signals) as Array<[NodeJS.Signals, number]>;
  return names.find(([, number]) => exitCode === 128 + number)?.[0];
}

function failure(end: ProcessEnd, captured: Captured, { what, more = {} }: OutcomeOptions): CapabilityError {
  const { exitCode, signal, durationMs } = end;
  const [stdout, stderr] = [captured.stdout.read().text, captured.stderr.read().text];
  const value = { exitCode, signal, durationMs, stdout: lastOf(stdout), stderr: lastOf(stderr), ...more };
  const options = {
    retryable: false,
    details: [{ message: `how ${what} ended`, code: 'COMMAND_END', value }],
  };
  const exceeded = LIMIT_SIGNALS[signalBehind(end) ?? 'SIGTERM'];
  if (exceeded !== undefined)
    return new CapabilityError(
      'COMMAND_LIMIT_EXCEEDED',
      `${what} exceeded its limit of ${exceeded} after ${durationMs} ms`,
      { ...options, remedy: 'Raise `limits`, of the job or of the capability, or let it use less.' },
    );
  if (signal !== null)
    return new CapabilityError(
      'COMMAND_KILLED',
      `${what} was ended by ${signal} after ${durationMs} ms`,
      options,
    );
  return new CapabilityError(
    'COMMAND_FAILED',
    `${what} ended with exit code ${exitCode} after ${durationMs} ms`,
    {
      ...options,
      remedy: 'Read what it printed; name other codes that count as success in `exitCodes`.',
    },
  );
}

/** What is said of one command's end. */
export interface OutcomeOptions {
  /** Codes that count as success. Default: 0 alone. */
  readonly exitCodes?: readonly number[] | undefined;
  /** What ran: `the command`. */
  readonly what: string;
  /** What else an error says of the end. */
  readonly more?: Readonly<Record<string, unknown>> | undefined;
}

/** Makes what keeps the output of one command. */
export function createCaptured(maxBytes: number, hidden: readonly string[]): Captured {
  return { stdout: createCapturedOutput(maxBytes, hidden), stderr: createCapturedOutput(maxBytes, hidden) };
}

/**
 * What the job is told of a command that ended by itself.
 * @throws CapabilityError `COMMAND_FAILED`, `COMMAND_KILLED`, `COMMAND_LIMIT_EXCEEDED`
 */
export function commandOutcome(end: ProcessEnd, captured: Captured, options: OutcomeOptions): ProgramResult {
  const { exitCodes = [0] } = options;
  const { exitCode, durationMs } = end;
  if (exitCode === null || !exitCodes.includes(exitCode)) throw failure(end, captured, options);
  const [stdout, stderr] = [captured.stdout.read(), captured.stderr.read()];
  return {
    exitCode,
    durationMs,
    stdout: stdout.text,
    stderr: stderr.text,
    stdoutBytes: captured.stdout.totalBytes,
    stderrBytes: captured.stderr.totalBytes,
    droppedBytes: stdout.droppedBytes + stderr.droppedBytes,
  };
}
