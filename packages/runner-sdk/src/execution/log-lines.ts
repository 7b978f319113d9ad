import type { LogEvent, LogLevel } from '@controlplane/contracts';
import { cutBytes } from '../util/cut-bytes.js';
import { toSafeJson } from '../util/safe-json.js';
import type { EventChannel, Unplaced } from './event-channel.js';
import { boundLog, type LogLimits } from './log-bounds.js';
import type { Secrets } from './secrets.js';

/** What a handler hands to its log. */
export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
}

/** What a line is written by. */
export interface LogLineOptions {
  readonly at: string;
  readonly limits: LogLimits;
  readonly secrets?: Secrets | undefined;
}

function safeFields(
  given: Readonly<Record<string, unknown>>,
  secrets: Secrets | undefined,
): Record<string, unknown> {
  const safe = toSafeJson(given);
  const hidden = secrets ? secrets.hideIn(safe) : safe;
  return typeof hidden === 'object' && hidden !== null && !Array.isArray(hidden) ? hidden : { value: hidden };
}

/**
 * Adds a line to the log, unless the execution has ended.
 * @returns the event as it was sent, secrets redacted; undefined when it was held back or dropped
 */
export function emitLog(
  channel: EventChannel,
  line: LogLine,
  { at, limits, secrets }: LogLineOptions,
): LogEvent | undefined {
  if (channel.terminal) return undefined;
  const { maxLogEventBytes } = limits;
  let message = String(line.message);
  if (secrets) message = secrets.hide(message);
  // A UTF-16 unit is at most three bytes, so that most texts need not be copied.
  if (message.length * 3 > maxLogEventBytes) {
    const { head, headBytes, tail } = cutBytes(message, maxLogEventBytes);
    if (tail !== '') {
      const cut = Buffer.byteLength(message) - headBytes;
      channel.droppedBytes += cut;
      message = `${head}… [${cut} bytes more]`;
    }
  }
  let fields = line.fields === undefined ? undefined : safeFields(line.fields, secrets);
  let fieldBytes = fields === undefined ? 0 : Buffer.byteLength(JSON.stringify(fields));
  if (fieldBytes > maxLogEventBytes) {
    channel.droppedBytes += fieldBytes;
    fields = { truncated: `${fieldBytes} bytes of fields were left out` };
    fieldBytes = Buffer.byteLength(JSON.stringify(fields));
  }
  const event: Unplaced<LogEvent> = { type: 'log', at, level: line.level, message };
  if (fields !== undefined) event.fields = fields;
  return boundLog(channel, { event, bytes: Buffer.byteLength(message) + fieldBytes }, limits);
}
