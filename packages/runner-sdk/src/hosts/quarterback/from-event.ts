import type { ErrorEnvelope, ExecutionEvent, LogEvent, TerminalEvent } from '@controlplane/contracts';
import type {
  QuarterbackAssignment,
  QuarterbackLogs,
  QuarterbackLogSession,
  QuarterbackStatusUpdate,
} from '@controlplane/contracts/quarterback';
import { dropBytes } from '../../util/cut-bytes.js';
import { createSessionLog, fitLogs, type LogRole } from './session-log.js';
import { timeoutMsOf } from './to-request.js';

/** What the events of one execution are in the words of a Quarterback. */
export interface TaskReport {
  take(event: ExecutionEvent): void;
  /** How it goes: what was printed since the last one, else what that one showed, and how far it is. */
  running(): QuarterbackStatusUpdate;
  end(event: TerminalEvent): QuarterbackStatusUpdate;
  /** Everything that was said, small enough to be taken. */
  logs(): QuarterbackLogs;
  /** A log that the task has written itself, in place of what it printed. */
  replaceLog(session: QuarterbackLogSession): void;
}

/** Bytes of what was printed last that a report shows. */
const SHOWN_BYTES = 4 * 1024;

/** The words of the control plane's own runner. */
const STARTED = 'Task started';
const SUCCEEDED = 'Task completed successfully';

const ROLE_OF: Readonly<Record<'stdout' | 'stderr', LogRole>> = { stdout: 'assistant', stderr: 'tool' };

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;

function failureText({ code, message, details }: ErrorEnvelope, assignment: QuarterbackAssignment): string {
  if (code === 'EXECUTION_TIMEOUT')
    return `Task timed out after ${Math.round(timeoutMsOf(assignment) / 1_000)} seconds`;
  const end = details.find((detail) => detail.code === 'COMMAND_END')?.value;
  const exitCode = memberOf(end, 'exitCode');
  if (code === 'COMMAND_FAILED' && typeof exitCode === 'number')
    return `Task failed with exit code ${exitCode}`;
  return `${code}: ${message}`;
}

/**
 * Makes the report of one task.
 * @param now - milliseconds since 1970
 */
export function createTaskReport(
  assignment: QuarterbackAssignment,
  capabilityId: string,
  now: () => number,
): TaskReport {
  const { task_id: taskId, prompt } = assignment;
  const log = createSessionLog({ taskId, prompt, capabilityId }, now);
  let shown = '';
  let last = STARTED;
  let fraction: number | undefined;
  let own: QuarterbackLogSession | undefined;

  const update = (status: QuarterbackStatusUpdate['status'], message: string): QuarterbackStatusUpdate => ({
    task_id: taskId,
    status,
    message,
    ...(fraction === undefined ? {} : { progress: Math.round(fraction * 1_000) / 10 }),
    ...(own?.id === undefined ? {} : { crush_session_id: own.id }),
    timestamp: new Date(now()).toISOString(),
  });
  function show(text: string): void {
    const excess = Buffer.byteLength(shown) + Buffer.byteLength(text) - SHOWN_BYTES;
    shown = excess > 0 ? dropBytes(shown + text, excess).text : shown + text;
  }
  function said({ stream, message }: LogEvent): void {
    const text = stream === undefined ? `${message}\n` : message;
    log.add(stream === undefined ? 'system' : ROLE_OF[stream], text);
    show(text);
  }
  return {
    take(event) {
      if (event.type === 'log') said(event);
      if (event.type !== 'progress') return;
      fraction = event.fraction;
      if (event.message !== undefined) show(`${event.message}\n`);
    },
    running() {
      last = shown.trim() || last;
      shown = '';
      return update('running', last);
    },
    end(event) {
      if (event.type === 'succeeded') {
        const { data } = event;
        // Of a capability that runs no program, the result is all that there is to see.
        if (data !== undefined && memberOf(data, 'exitCode') === undefined)
          log.add('assistant', `${JSON.stringify(data)}\n`);
        fraction = 1;
        return update('success', SUCCEEDED);
      }
      const text =
        event.type === 'failed' ? failureText(event.error, assignment) : `Task was stopped: ${event.reason}`;
      log.add('system', `${text}\n`);
      return update('error', text);
    },
    logs: () => fitLogs({ task_id: taskId, session: own ?? log.session() }),
    replaceLog(session) {
      own = session;
    },
  };
}
