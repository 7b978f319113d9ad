import type { CapabilityContext, ContextLog, ContextLogMethod } from '../capability/capability-context.js';
import type { ExecutionRequest } from './execute.js';
import type { LogLine } from './event-channel.js';

/** What a context needs of the execution that it stands for. */
export interface ContextSource {
  readonly request: ExecutionRequest;
  signal(): AbortSignal;
  log(line: LogLine): void;
  progress(fraction: number, message: string | undefined): void;
}

const DONE = Promise.resolve();

function createContextLog(source: ContextSource): ContextLog {
  const at =
    (level: LogLine['level']): ContextLogMethod =>
    (message, fields) =>
      source.log({ level, message, fields });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Makes what a handler is given. Signal and log come into being when they are first used. */
export function createExecutionContext(source: ContextSource): CapabilityContext {
  const { request } = source;
  let log: ContextLog | undefined;
  return {
    get signal() {
      return source.signal();
    },
    get log() {
      return (log ??= createContextLog(source));
    },
    progress(fraction, message) {
      source.progress(fraction, message);
      return DONE;
    },
    jobId: request.jobId,
    executionId: request.executionId,
    attempt: request.attempt,
    metadata: request.metadata,
  };
}
