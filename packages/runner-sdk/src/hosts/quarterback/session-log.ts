import {
  QUARTERBACK_LOG_BYTES,
  QUARTERBACK_TRUNCATED,
  type QuarterbackLogMessage,
  type QuarterbackLogs,
  type QuarterbackLogSession,
} from '@controlplane/contracts/quarterback';

/** Who said something: the task, the program's two streams, and the runner. */
export type LogRole = 'user' | 'assistant' | 'tool' | 'system';

/** What was said in a task. */
export interface SessionLog {
  add(role: LogRole, text: string): void;
  session(): QuarterbackLogSession;
}

/** Bytes of a body: no more than ten megabytes, whoever counts them by thousands or by 1,024. */
const MAX_BODY_BYTES = Math.min(10_000_000, QUARTERBACK_LOG_BYTES);

/** Bytes after which what one stream prints is the next message. */
const MESSAGE_BYTES = 64 * 1024;

/** Characters of the prompt that a session is called by. */
const TITLE_CHARS = 80;

interface Draft {
  readonly role: LogRole;
  readonly createdAt: number;
  finishedAt: number;
  content: string;
  bytes: number;
}

/**
 * Makes the log of one task, with its prompt. It keeps the last 10 MB.
 * @param now - milliseconds since 1970
 */
export function createSessionLog(
  { taskId, prompt, capabilityId }: { taskId: string; prompt: string; capabilityId: string },
  now: () => number,
): SessionLog {
  const drafts: Draft[] = [];
  const startedAt = now();
  let dropped = 0;
  let bytes = 0;

  function add(role: LogRole, text: string): void {
    const size = Buffer.byteLength(text);
    const last = drafts.at(-1);
    const at = now();
    bytes += size;
    if (last?.role === role && last.bytes + size <= MESSAGE_BYTES) {
      last.content += text;
      last.bytes += size;
      last.finishedAt = at;
    } else drafts.push({ role, createdAt: at, finishedAt: at, content: text, bytes: size });
    while (bytes > QUARTERBACK_LOG_BYTES && drafts.length > 1) {
      bytes -= drafts.shift()?.bytes ?? 0;
      dropped++;
    }
  }
  add('user', prompt);
  return {
    add,
    session: () => ({
      id: taskId,
      title: prompt.slice(0, TITLE_CHARS),
      prompt_tokens: 0,
      completion_tokens: 0,
      cost: 0,
      created_at: startedAt,
      updated_at: now(),
      messages: drafts.map(({ role, content, createdAt, finishedAt }, at) => ({
        id: `${taskId}.${dropped + at}`,
        role,
        content,
        model: capabilityId,
        provider: 'controlplane-runner',
        created_at: createdAt,
        finished_at: finishedAt,
      })),
    }),
  };
}

const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** The longest end of a message that fits; undefined where not even its frame does. */
function tailOf(message: QuarterbackLogMessage, maxBytes: number): QuarterbackLogMessage | undefined {
  const content = message.content ?? '';
  const from = (start: number): QuarterbackLogMessage => {
    // The second half of a pair would be no character.
    const isHalf = /^[\uDC00-\uDFFF]/.test(content.slice(start, start + 1));
    return { ...message, content: `${QUARTERBACK_TRUNCATED}${content.slice(isHalf ? start + 1 : start)}` };
  };
  if (sizeOf(from(content.length)) > maxBytes) return undefined;
  let low = 0;
  let high = content.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (sizeOf(from(middle)) <= maxBytes) high = middle;
    else low = middle + 1;
  }
  return from(high);
}

/**
 * Makes a log small enough to be taken: the oldest messages go first, then the beginning of the last one, then that too.
 * @param maxBytes - of the body. Default: 10 MB
 */
export function fitLogs(logs: QuarterbackLogs, maxBytes = MAX_BODY_BYTES): QuarterbackLogs {
  const messages = logs.session.messages ?? [];
  const withMessages = (kept: QuarterbackLogMessage[]): QuarterbackLogs => ({
    ...logs,
    session: { ...logs.session, messages: kept },
  });
  let leftBytes = maxBytes - sizeOf(withMessages([]));
  let first = messages.length;
  while (first > 0) {
    const bytes = sizeOf(messages[first - 1]) + 1;
    if (bytes > leftBytes) break;
    leftBytes -= bytes;
    first--;
  }
  const last = messages.at(-1);
  if (last === undefined || first < messages.length) return withMessages(messages.slice(first));
  const tail = tailOf(last, leftBytes);
  return withMessages(tail ? [tail] : []);
}
