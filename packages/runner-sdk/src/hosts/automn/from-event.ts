import {
  isTerminalEvent,
  type ErrorEnvelope,
  type ExecutionEvent,
  type FailedEvent,
  type LogEvent,
  type SucceededEvent,
  type TerminalEvent,
} from '@controlplane/contracts';
import {
  AUTOMN_DEPENDENCY_EXIT_CODE,
  type AutomnLine,
  type AutomnLog,
  type AutomnNotification,
  type AutomnResult,
} from '@controlplane/contracts/automn';
import { z } from 'zod';
import { cutBytes } from '../../util/cut-bytes.js';
import { isAutomns, toLog, toNotification, type Said } from './structured-output.js';

/** What the events of one execution are in Automn's words. */
export type Reply = (event: ExecutionEvent) => AutomnLine[];

/** What one job is answered for. */
export interface ReplyOptions {
  readonly runId: string;
  /** As the script was given it. */
  readonly input: unknown;
  /** Whether the result is that of the script capability. */
  readonly isScript: boolean;
}

/** Bytes of each stream that are kept for the result of a script that did not come to an end of its own. */
const KEPT_BYTES = 50 * 1024;
const MAX_SAID = 1_000;
const MAX_NOTIFICATIONS = 50;
/** What Automn's own runner says of packages that could not be installed. */
const DEPENDENCY_CODE = 'NODE_DEPENDENCY_INSTALL_FAILED';
const FAILED_EXIT_CODE = 1;

const SaidSchema = z.object({
  level: z.string(),
  message: z.string(),
  fields: z.record(z.string(), z.unknown()).optional(),
  audience: z.string().optional(),
});
const ScriptResult = z.object({
  exitCode: z.number().int(),
  durationMs: z.number(),
  stdout: z.string(),
  stderr: z.string(),
  data: z.unknown().optional(),
  logs: z.array(SaidSchema),
  notifications: z.array(SaidSchema),
});

const isDependency = ({ code }: ErrorEnvelope): boolean =>
  code === 'DEPENDENCIES_NOT_INSTALLED' || code === 'DEPENDENCY_REFUSED';

/** Why a script has no result, at the end of its standard error. */
function reasonOf({ code, message }: ErrorEnvelope): string {
  if (code === 'EXECUTION_TIMEOUT') return 'Timeout exceeded.';
  return code === 'INTERPRETER_MISSING' ? `Unsupported language: ${message}` : `${code}: ${message}`;
}

function detailOf({ message, details }: ErrorEnvelope): string {
  return [message, ...details.map((detail) => detail.message)].join('\n');
}

type Ended = Partial<AutomnResult> & Pick<AutomnResult, 'duration'>;
type Timed = Said & { readonly at: string };

/** What a script said, as long as it has not come to an end of its own. */
interface Kept {
  readonly stdout: string;
  readonly stderr: string;
  readonly logs: readonly Timed[];
  readonly notifications: readonly Timed[];
}

const line = (text: string): AutomnLine => ({ type: 'log', line: text });
const at = (said: readonly Said[], time: string): Timed[] => said.map((one) => ({ ...one, at: time }));
const logsOf = (said: readonly Timed[]): AutomnLog[] => said.map((one, order) => toLog(one, order, one.at));
const notificationsOf = (said: readonly Timed[]): AutomnNotification[] =>
  said.map((one, order) => toNotification(one, order, one.at));

function resultLine({ runId, input }: Pick<ReplyOptions, 'runId' | 'input'>, ended: Ended): AutomnLine {
  const nothing = { returnData: null, automnLogs: [], automnNotifications: [] };
  const data = { runId, stdout: '', stderr: '', code: FAILED_EXIT_CODE, ...nothing, ...ended, input };
  return { type: 'result', data: { ...data, duration: Math.round(ended.duration) } };
}

/** The answer to a job that cannot be run. */
export const notRun = (runId: string, input: unknown, stderr: string): AutomnLine =>
  resultLine({ runId, input }, { stderr, duration: 0 });

function ofScript(ended: z.infer<typeof ScriptResult>, time: string): Ended {
  return {
    stdout: ended.stdout.trimEnd(),
    stderr: ended.stderr,
    code: ended.exitCode,
    duration: ended.durationMs,
    returnData: ended.data ?? null,
    automnLogs: logsOf(at(ended.logs, time)),
    automnNotifications: notificationsOf(at(ended.notifications, time)),
  };
}

const saidOf = ({ logs, notifications }: Kept): Pick<AutomnResult, 'automnLogs' | 'automnNotifications'> => ({
  automnLogs: logsOf(logs),
  automnNotifications: notificationsOf(notifications),
});

function withoutEnd(kept: Kept, reason: string, duration: number): Ended {
  const stderr = kept.stderr === '' ? reason : `${kept.stderr}\n${reason}`;
  return { stdout: kept.stdout.trimEnd(), stderr, duration, ...saidOf(kept) };
}

function withoutPackages({
  error,
  executionTimeMs: duration,
  at: time,
}: FailedEvent): Ended & { stderr: string } {
  const stderr = detailOf(error);
  return {
    code: AUTOMN_DEPENDENCY_EXIT_CODE,
    stderr,
    duration,
    automnLogs: logsOf(at([{ level: 'error', message: stderr, fields: { type: 'system' } }], time)),
    clientMessage: 'Try again later',
    errorCode: DEPENDENCY_CODE,
  };
}

/** Makes what answers one job: output as it comes, then the one result. */
export function createReply(options: ReplyOptions): Reply {
  const { isScript } = options;
  const [logs, notifications]: [Timed[], Timed[]] = [[], []];
  const kept = { stdout: '', stderr: '', logs, notifications };
  const result = (ended: Ended): AutomnLine => resultLine(options, ended);

  function say(list: Timed[], most: number, said: Timed): void {
    if (list.length < most) list.push(said);
  }
  function log({ stream, message, level, fields, notification, at: time }: LogEvent): AutomnLine[] {
    if (stream !== undefined) {
      kept[stream] += cutBytes(message, KEPT_BYTES - Buffer.byteLength(kept[stream])).head;
      return [line(message)];
    }
    if (notification) {
      const { audience } = notification;
      say(notifications, MAX_NOTIFICATIONS, { level, message, audience, at: time });
      return [line(`[notify${audience === undefined ? '' : `:${audience}`}] ${message}\n`)];
    }
    // The capability's own remarks have fields, and are none of the script's.
    if (isScript && fields !== undefined && !isAutomns(fields)) return [];
    say(logs, MAX_SAID, { level, message, fields, at: time });
    return [line(`${message}\n`)];
  }
  function succeeded({ data, executionTimeMs: duration, at: time }: SucceededEvent): AutomnLine {
    const ended = isScript ? ScriptResult.safeParse(data).data : undefined;
    return result(
      ended ? ofScript(ended, time) : { code: 0, duration, returnData: data ?? null, ...saidOf(kept) },
    );
  }
  function stopped(reason: string, duration: number): AutomnLine[] {
    return [line(`${reason}\n`), result(withoutEnd(kept, reason, duration))];
  }
  function failed(event: FailedEvent): AutomnLine[] {
    if (!isDependency(event.error)) return stopped(reasonOf(event.error), event.executionTimeMs);
    const ended = withoutPackages(event);
    return [line(`${ended.stderr}\n`), result(ended)];
  }

  function ended(event: TerminalEvent): AutomnLine[] {
    const bytes = event.droppedBytes ?? 0;
    const said = bytes === 0 ? [] : [line(`\n[${bytes} bytes of output left out]\n`)];
    if (event.type === 'succeeded') return [...said, succeeded(event)];
    if (event.type === 'failed') return [...said, ...failed(event)];
    return [...said, ...stopped(`Cancelled: ${event.message ?? event.reason}`, event.executionTimeMs)];
  }

  return (event) => {
    if (isTerminalEvent(event)) return ended(event);
    switch (event.type) {
      case 'log':
        return log(event);
      case 'progress':
        return [{ type: 'progress', fraction: event.fraction, message: event.message }];
      default:
        return [];
    }
  };
}
