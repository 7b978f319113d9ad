import { JsonObject, LogLevel, type JobEvent, type JobResponse } from '@controlplane/contracts';
import { z } from 'zod';
import { spoken, timeOfDay } from './durations.js';
import { failureText } from './failure-text.js';
import { printable, printableLine } from './printable.js';
import { toned, type Terminal, type Tone } from './terminal.js';

const LogData = z.object({ level: LogLevel, message: z.string(), fields: JsonObject.optional() });
const NotificationData = LogData.extend({ audience: z.string().optional() });
const ProgressData = z.object({ fraction: z.number(), message: z.string().optional() });
const RetryData = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

const LEVEL_TONES: Readonly<Record<LogLevel, Tone>> = {
  debug: 'dim',
  info: 'good',
  warn: 'warn',
  error: 'bad',
};

/** What an event says to somebody who watches; nothing where the first and last line say it already. */
export function eventLine(terminal: Terminal, event: JobEvent): string | undefined {
  const words = wordsOf(terminal, event);
  return words === undefined
    ? undefined
    : `  ${toned(terminal, 'dim', timeOfDay(event.timestamp))}  ${words}`;
}

function wordsOf(terminal: Terminal, { type, data }: JobEvent): string | undefined {
  if (type === 'job.log') {
    const log = LogData.safeParse(data);
    if (!log.success) return undefined;
    const { level, message, fields } = log.data;
    const more =
      fields && Object.keys(fields).length > 0
        ? ` ${toned(terminal, 'dim', printableLine(JSON.stringify(fields)))}`
        : '';
    return `${toned(terminal, LEVEL_TONES[level], level.padEnd(5))}  ${printable(message.replace(/\n$/, '')).replaceAll('\n', '\n    ')}${more}`;
  }
  if (type === 'job.notification') {
    const notification = NotificationData.safeParse(data);
    if (!notification.success) return undefined;
    const { level } = notification.data;
    return `${toned(terminal, LEVEL_TONES[level], level.padEnd(5))}  ${notificationWords(notification.data)}`;
  }
  if (type === 'job.progress') {
    const progress = ProgressData.safeParse(data);
    if (!progress.success) return undefined;
    const { fraction, message } = progress.data;
    return `${`${Math.round(fraction * 100)} %`.padStart(5)}  ${printableLine(message ?? '')}`.trimEnd();
  }
  if (type === 'job.retrying') {
    const retry = RetryData.safeParse(data);
    const why = retry.success
      ? `  ${printableLine(`${retry.data.error.code}: ${retry.data.error.message}`)}`
      : '';
    return `${toned(terminal, 'warn', 'retry')}${why}`;
  }
  return undefined;
}

/** What is said to people, and to whom. */
export function notificationWords({
  message,
  audience,
}: {
  readonly message: string;
  readonly audience?: string | undefined;
}): string {
  const to = audience === undefined ? 'notification' : `to ${printableLine(audience)}`;
  return `[${to}] ${printable(message.replace(/\n$/, '')).replaceAll('\n', '\n    ')}`;
}

/** Where a job stands, in a few words without colour; nothing where the event does not change that. */
export function standingWords({ type, data }: JobEvent): string | undefined {
  if (type === 'job.started') return 'running';
  if (type === 'job.queued') return 'waiting for a runner';
  if (type === 'job.retrying') return 'failed, waiting for the next attempt';
  const progress = type === 'job.progress' ? ProgressData.safeParse(data) : undefined;
  if (!progress?.success) return undefined;
  const { fraction, message } = progress.data;
  return `running  ${Math.round(fraction * 100)} %${message ? `  ${printableLine(message)}` : ''}`;
}

/** What a job came to; how to fetch it, where it was too large for a message. */
export function resultWords({ id, result }: Pick<JobResponse, 'id' | 'result'>): string | undefined {
  if (result?.dataFile !== undefined)
    return `${result.dataFile.bytes} bytes of JSON: jobforge job download ${id}`;
  return result?.data === undefined ? undefined : printable(JSON.stringify(result.data));
}

/** How a job ended, on one line. */
export function endingLine(terminal: Terminal, job: JobResponse): string {
  const { status, result, error } = job;
  const took = result ? ` in ${spoken(result.metadata.durationMs)}` : '';
  if (status === 'completed') {
    const words = resultWords(job);
    return `${toned(terminal, 'good', 'completed')}${took}${words === undefined ? '' : `   ${words}`}`;
  }
  if (status === 'cancelled') return `${toned(terminal, 'warn', 'cancelled')}${took}`;
  const failure = result?.error ?? error;
  return `${toned(terminal, 'bad', status)}${took}${failure ? `   ${failureText(terminal, failure)}` : ''}`;
}
