import { constants } from 'node:os';
import type {
  ErrorEnvelope,
  ExecutionEvent,
  FailedEvent,
  LogEvent,
  SucceededEvent,
} from '@controlplane/contracts';
import {
  SWARMLET_OUTPUT_BYTES,
  SWARMLET_TRUNCATION,
  type SwarmletExecRequest,
} from '@controlplane/contracts/swarmlet';
import { cutBytes } from '../../util/cut-bytes.js';
import type { CommandFrame } from './kept-frames.js';

/** What the events of one execution are in Swarmlet's words. */
export type Reply = (event: ExecutionEvent) => CommandFrame[];

/** What a shell says of a program that a signal ended. */
const SIGNAL_BASE = 128;

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;

/** The exit code of a command that ran and did not succeed; undefined where it did not end by itself. */
function exitCodeOf({ code, details }: ErrorEnvelope): number | undefined {
  if (code !== 'COMMAND_FAILED' && code !== 'COMMAND_KILLED') return undefined;
  const end = details.find((detail) => detail.code === 'COMMAND_END')?.value;
  const [exitCode, signal] = [memberOf(end, 'exitCode'), memberOf(end, 'signal')];
  if (typeof exitCode === 'number') return exitCode;
  const number = Object.entries(constants.signals).find(([name]) => name === signal)?.[1];
  return number === undefined ? undefined : SIGNAL_BASE + number;
}

/** In the words of Swarmlet's own runner where it has some, since people and programs there look for them. */
function errorText({ code, message }: ErrorEnvelope, { timeout_secs: seconds }: SwarmletExecRequest): string {
  if (code === 'EXECUTION_TIMEOUT' && seconds > 0) return `Command timed out after ${seconds} seconds`;
  if (code === 'RUNNER_BUSY') return 'Runner is busy with another job';
  return `${code}: ${message}`;
}

/**
 * Makes what answers one request. Output is sent as it comes up to 50 KB of UTF-8, both streams together: to the last
 * whole character that fits, then the marker, then nothing more.
 * @param isShell - whether output is a program's alone: there is no place beside it for what the capability says
 */
export function createReply(request: SwarmletExecRequest, isShell: boolean): Reply {
  const { job_id } = request;
  let leftBytes = SWARMLET_OUTPUT_BYTES;
  let isCut = false;

  function chunk(stream: 'stdout' | 'stderr', text: string): CommandFrame[] {
    if (isCut || text === '') return [];
    const { head, headBytes, tail } = cutBytes(text, leftBytes);
    leftBytes -= headBytes;
    isCut = tail !== '';
    return [{ type: 'exec_chunk', job_id, stream, data: isCut ? `${head}${SWARMLET_TRUNCATION}` : head }];
  }
  function log({ stream, message }: LogEvent): CommandFrame[] {
    if (stream !== undefined) return chunk(stream, message);
    return isShell ? [] : chunk('stderr', `${message}\n`);
  }
  const done = (exitCode: number, durationMs: number): CommandFrame => ({
    type: 'exec_done',
    job_id,
    exit_code: exitCode,
    duration_ms: Math.round(durationMs),
  });

  function succeeded({ data, executionTimeMs }: SucceededEvent): CommandFrame[] {
    const exitCode = memberOf(data, 'exitCode');
    if (typeof exitCode === 'number') return [done(exitCode, executionTimeMs)];
    // Of a capability that runs no program, the result is all that there is to see.
    return [...chunk('stdout', `${JSON.stringify(data ?? null)}\n`), done(0, executionTimeMs)];
  }
  function failed({ error, executionTimeMs }: FailedEvent): CommandFrame[] {
    const exitCode = exitCodeOf(error);
    if (exitCode !== undefined) return [done(exitCode, executionTimeMs)];
    return [{ type: 'exec_error', job_id, error: errorText(error, request) }];
  }

  return (event) => {
    switch (event.type) {
      case 'log':
        return log(event);
      case 'succeeded':
        return succeeded(event);
      case 'failed':
        return failed(event);
      case 'cancelled':
        return [done(SIGNAL_BASE + constants.signals.SIGTERM, event.executionTimeMs)];
      default:
        return [];
    }
  };
}
