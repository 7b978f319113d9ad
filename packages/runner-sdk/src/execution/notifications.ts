import { LogLevel } from '@controlplane/contracts';
import type { CapabilityContext, NotifyOptions } from '../capability/capability-context.js';
import type { LogLine } from './log-lines.js';

/** Notifications of one execution. */
const MAX_NOTIFICATIONS = 50;
const MAX_MESSAGE_LENGTH = 2_000;
const MAX_AUDIENCE_LENGTH = 128;

interface Notification {
  readonly level: LogLine['level'];
  readonly message: string;
  readonly audience: string | undefined;
}

export interface NotificationParts {
  /** Replaces values of secrets in a text: before it is cut, or a half of one would stay. */
  readonly hide: (text: string) => string;
  readonly tell: (notification: Notification) => void;
  readonly log: (line: LogLine) => void;
}

/** The beginning of a text, never half of a character. */
function cut(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  return text.slice(0, maxLength).replace(/[\uD800-\uDBFF]$/, '');
}

/** What JavaScript says in place of a level counts as `info`. */
function levelOf({ level }: NotifyOptions): LogLine['level'] {
  return LogLevel.safeParse(level).data ?? 'info';
}

/** Tells people the first of what a handler has to say to them; what is too much or too long goes into the log. */
export function createNotifications({ hide, tell, log }: NotificationParts): CapabilityContext['notify'] {
  let told = 0;
  return (said, options = {}) => {
    const message = hide(String(said));
    const level = levelOf(options);
    if (told >= MAX_NOTIFICATIONS) return log({ level, message });
    told += 1;
    const first = cut(message, MAX_MESSAGE_LENGTH);
    const audience = cut(hide(String(options.audience ?? '')), MAX_AUDIENCE_LENGTH);
    tell({ level, message: first, audience: audience === '' ? undefined : audience });
    if (message.length > first.length) log({ level, message: message.slice(first.length) });
  };
}
