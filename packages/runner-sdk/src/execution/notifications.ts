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
  readonly tell: (notification: Notification) => void;
  readonly log: (line: LogLine) => void;
}

function audienceOf({ audience }: NotifyOptions): string | undefined {
  const text = audience === undefined ? '' : String(audience).slice(0, MAX_AUDIENCE_LENGTH);
  return text === '' ? undefined : text;
}

/** Tells people the first of what a handler has to say to them; what is too much or too long goes into the log. */
export function createNotifications({ tell, log }: NotificationParts): CapabilityContext['notify'] {
  let told = 0;
  return (said, options = {}) => {
    const message = String(said);
    const { level = 'info' } = options;
    if (told >= MAX_NOTIFICATIONS) return log({ level, message });
    told += 1;
    tell({ level, message: message.slice(0, MAX_MESSAGE_LENGTH), audience: audienceOf(options) });
    if (message.length > MAX_MESSAGE_LENGTH) log({ level, message: message.slice(MAX_MESSAGE_LENGTH) });
  };
}
