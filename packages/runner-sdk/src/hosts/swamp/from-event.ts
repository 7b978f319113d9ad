import type { LogEvent, TerminalEvent } from '@controlplane/contracts';
import type { SwampOutputEvent, SwampShellArguments } from '@controlplane/contracts/swamp';

/** Bytes of the longest line; a longer one is sent in pieces. */
const MAX_LINE = 64 * 1024;

/** Turns output into whole lines. */
export interface OutputLines {
  take(event: LogEvent): SwampOutputEvent[];
  /** What was printed without an end of line. */
  rest(): SwampOutputEvent[];
}

const output = (stream: 'stdout' | 'stderr', line: string): SwampOutputEvent => ({
  kind: 'method_event',
  event: { type: 'output', line, stream },
});

/** Makes what splits the output of one execution. */
export function createOutputLines(): OutputLines {
  const begun = { stdout: '', stderr: '' };
  return {
    take({ stream, message }) {
      if (stream === undefined) return [];
      const lines = `${begun[stream]}${message}`.split('\n');
      const last = lines.pop() ?? '';
      begun[stream] = last.length > MAX_LINE ? '' : last;
      return [...lines, ...(last.length > MAX_LINE ? [last] : [])].map((line) => output(stream, line));
    },
    rest: () =>
      (['stdout', 'stderr'] as const).flatMap((stream) =>
        begun[stream] === '' ? [] : [output(stream, begun[stream])],
      ),
  };
}

/** How a command ended, in the words of swamp. */
export type ShellEnd =
  | { readonly kind: 'success'; readonly exitCode: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'error'; readonly error: string }
  /** An answer that is no result. */
  | {
      readonly kind: 'refused';
      readonly code: 'cancelled' | 'worker_busy' | 'worker_draining';
      readonly message: string;
    };

const REFUSALS = {
  RUNNER_BUSY: 'worker_busy',
  RUNNER_DRAINING: 'worker_draining',
} as const;

const textOf = (data: unknown, name: string): string => {
  const value: unknown = Reflect.get(Object(data) as object, name);
  return typeof value === 'string' ? value : '';
};

const numberOf = (data: unknown, name: string): number | undefined => {
  const value: unknown = Reflect.get(Object(data) as object, name);
  return typeof value === 'number' ? value : undefined;
};

type Failed = Extract<TerminalEvent, { readonly type: 'failed' }>;
type Succeeded = Extract<TerminalEvent, { readonly type: 'succeeded' }>;

function endOfFailed({ error: { code, message } }: Failed, { timeout }: SwampShellArguments): ShellEnd {
  if (code === 'RUNNER_BUSY' || code === 'RUNNER_DRAINING')
    return { kind: 'refused', code: REFUSALS[code], message };
  if (code === 'EXECUTION_TIMEOUT' && timeout !== undefined)
    return { kind: 'error', error: `Command timed out after ${timeout} ms` };
  return { kind: 'error', error: `${code}: ${message}` };
}

function endOfSucceeded({ data }: Succeeded, { ignoreExitCode = false }: SwampShellArguments): ShellEnd {
  const given = numberOf(data, 'exitCode');
  if (given === undefined)
    return { kind: 'success', exitCode: 0, stdout: JSON.stringify(data ?? null), stderr: '' };
  if (given !== 0 && !ignoreExitCode) return { kind: 'error', error: `Command exited with code ${given}` };
  const dropped = numberOf(data, 'droppedBytes') ?? 0;
  // What is kept is a head and a tail, joined without a mark: later steps would take it for the whole.
  if (dropped > 0)
    return {
      kind: 'error',
      error: `the command ended with ${given}, but ${dropped} bytes of its output were beyond the cap of the capability, so it is not kept: raise the capability's option "maxOutputBytes", or print less`,
    };
  return { kind: 'success', exitCode: given, stdout: textOf(data, 'stdout'), stderr: textOf(data, 'stderr') };
}

/** What a terminal event is, given what the command was told. */
export function endOf(event: TerminalEvent, args: SwampShellArguments): ShellEnd {
  if (event.type === 'cancelled')
    return { kind: 'refused', code: 'cancelled', message: 'the dispatch was cancelled' };
  return event.type === 'failed' ? endOfFailed(event, args) : endOfSucceeded(event, args);
}
