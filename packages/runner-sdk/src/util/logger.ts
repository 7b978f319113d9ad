import { sayThrown } from './safe-json.js';

/** One line of log: fields and a message, or a message alone. */
export interface LogMethod {
  (fields: object, message?: string): void;
  (message: string): void;
}

/** What the runner writes its own log with. Every pino logger is one. */
export interface Logger {
  debug: LogMethod;
  info: LogMethod;
  warn: LogMethod;
  error: LogMethod;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** The least level that is written; `silent` writes nothing. */
export type LoggerLevel = (typeof LOG_LEVELS)[number];

const nothing: LogMethod = () => undefined;

/** A logger that writes nothing. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

function withoutErrors(fields: object): object {
  const entries = Object.entries(fields).map(([key, value]: [string, unknown]) =>
    value instanceof Error
      ? [key, { name: value.name, message: value.message, stack: value.stack }]
      : [key, value],
  );
  return Object.fromEntries(entries) as object;
}

function formatLine(head: object, fields: object): string {
  try {
    return `${JSON.stringify({ ...head, ...withoutErrors(fields) })}\n`;
  } catch {
    return `${JSON.stringify({ ...head, unreadable: true })}\n`;
  }
}

/**
 * Makes a logger that writes one JSON object a line: `level`, `time` (ISO 8601), `name`, `msg` and the fields.
 * @param options - `level`: the least level written; `name`: the runner's; `write`: where lines go, default
 * standard error, so that standard output stays the program's own
 */
export function createJsonLogger(options: {
  readonly level: LoggerLevel;
  readonly name: string;
  readonly write?: (line: string) => void;
}): Logger {
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const least = LOG_LEVELS.indexOf(options.level);
  const at = (level: Exclude<LoggerLevel, 'silent'>): LogMethod => {
    if (LOG_LEVELS.indexOf(level) < least) return nothing;
    return (first: object | string, message?: string) => {
      const msg = typeof first === 'string' ? first : message;
      const head = {
        level,
        time: new Date().toISOString(),
        name: options.name,
        ...(msg === undefined ? {} : { msg }),
      };
      write(formatLine(head, typeof first === 'string' ? {} : first));
    };
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/**
 * Keeps what a logger throws away from who logs: a full disk must end no execution. Said once, as a warning of the
 * process.
 * @param logger - the application's own
 */
export function guardLogger(logger: Logger): Logger {
  let isSaid = false;
  const at =
    (level: keyof Logger): LogMethod =>
    (...line: [object | string, string?]) => {
      try {
        logger[level](...(line as [object, string?]));
      } catch (error) {
        if (isSaid) return;
        isSaid = true;
        process.emitWarning(`the runner's logger throws, its lines are lost: ${sayThrown(error)}`);
      }
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
