import type { AutomnLog, AutomnNotification } from '@controlplane/contracts/automn';

/** What a script said beside its output. */
export interface Said {
  readonly level: string;
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
  /** Whom a notification is for. */
  readonly audience?: string | undefined;
}

const MAX_MESSAGE_LENGTH = 2_000;

const word = (value: unknown): string => (typeof value === 'string' ? value.trim().toLowerCase() : '');

function logLevel(value: unknown): AutomnLog['level'] {
  const level = word(value);
  if (level === 'warning') return 'warn';
  return level === 'warn' || level === 'error' || level === 'success' || level === 'debug' ? level : 'info';
}

function notificationLevel(value: unknown): AutomnNotification['level'] {
  const level = word(value);
  return level === 'warn' || level === 'error' ? level : 'info';
}

/** In a shell, a context is a text, of JSON or not. */
function contextOf(fields: Readonly<Record<string, unknown>>): unknown {
  const { context, contextJson } = fields;
  if (typeof contextJson !== 'string') return context;
  if (contextJson === '') return undefined;
  try {
    return JSON.parse(contextJson) as unknown;
  } catch {
    return contextJson;
  }
}

function toContext(value: unknown): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  return typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : { value };
}

/** Whether the fields are those that Automn's own functions give; else they are what a capability's log has with it. */
export const isAutomns = (fields: Readonly<Record<string, unknown>>): boolean =>
  typeof fields['timestamp'] === 'string';

/** @param at - when it was said, where the script does not say it itself */
export function toLog({ level, message, fields = {} }: Said, order: number, at: string): AutomnLog {
  const own = isAutomns(fields);
  return {
    message,
    level: logLevel(own ? fields['level'] : level),
    type: word(fields['type']) || 'general',
    context: toContext(own ? contextOf(fields) : fields),
    order,
    timestamp: own ? String(fields['timestamp']) : at,
  };
}

/** @param at - when it was said */
export function toNotification(
  { level, message, audience }: Said,
  order: number,
  at: string,
): AutomnNotification {
  return {
    order,
    audience: audience?.trim() || null,
    message: message.slice(0, MAX_MESSAGE_LENGTH),
    level: notificationLevel(level),
    raw: { audience: audience ?? null, message, level },
    timestamp: at,
  };
}
