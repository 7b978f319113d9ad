export type LogSeverity = 'debug' | 'info' | 'warn' | 'error';

/** Receives what JobForge has to say about itself. Must not throw. */
export type Log = (
  severity: LogSeverity,
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

/** Says nothing. */
export const silentLog: Log = () => undefined;
