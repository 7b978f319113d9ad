import type { z } from 'zod';
import type { Clock } from '../model/clock.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { Log } from '../model/log.js';

/**
 * Reads what a runner says of itself.
 * @throws JobForgeError VALIDATION_ERROR, which names field and value; a secret is never shown
 */
export type ReadAnnounced = <Schema extends z.ZodType>(schema: Schema, said: unknown) => z.output<Schema>;

/** Whoever is refused for this may have proved nothing: so many lines a minute, and a count of the others. */
const MAX_LINES = 30;
const MINUTE_MS = 60_000;
const MAX_VALUE = 100;

const SECRET = /secret|token|key|password|credential/i;

/** A value as it may be shown to anybody. */
function shown(path: readonly PropertyKey[], said: unknown): string {
  if (path.some((part) => SECRET.test(String(part)))) return 'not shown';
  const value = path.reduce<unknown>((at, part) => (Object(at) as Record<PropertyKey, unknown>)[part], said);
  if (value === undefined) return 'missing';
  // Beside the field that is wrong there may be a secret.
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  const text = JSON.stringify(value).replace(/\/\/[^@/"]*@/, '//…@');
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
}

/** Writes lines for the operator, as many as a minute takes. */
function boundedLog(log: Log, clock: Pick<Clock, 'now'>): Log {
  let [since, lines, unsaid] = [Number.NEGATIVE_INFINITY, 0, 0];
  return (severity, message, fields) => {
    if (clock.now() - since >= MINUTE_MS) [since, lines] = [clock.now(), 0];
    if ((lines += 1) > MAX_LINES) return void (unsaid += 1);
    log(severity, message, { ...fields, ...(unsaid > 0 && { unsaid }) });
    unsaid = 0;
  };
}

/** Makes what reads the announcements at one door, and says to the operator what was wrong with those it refuses. */
export function createReadAnnounced(log: Log, clock: Pick<Clock, 'now'>): ReadAnnounced {
  const say = boundedLog(log, clock);
  return (schema, said) => {
    const read = schema.safeParse(said);
    if (read.success) return read.data;
    const [issue] = read.error.issues;
    const path = issue?.path ?? [];
    const field = path.join('.') || 'the whole of it';
    const value = shown(path, said);
    const reason = issue?.message ?? 'it is not valid';
    say('warn', 'a foreign runner announced what cannot be taken', { field, value, reason });
    throw new JobForgeError('VALIDATION_ERROR', {
      message: `What the runner says of itself cannot be taken: ${field}: ${reason} (it is ${value}).`,
      remedy: 'Mend it where the runner is configured, and start the runner again.',
    });
  };
}
