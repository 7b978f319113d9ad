import type { CapabilityContext, ContextLog, ContextLogMethod } from '../capability/capability-context.js';
import type { LogLine } from './event-channel.js';
import type { ExecutionRequest } from './execute.js';

/** What a context needs of the execution that it stands for. */
export interface ContextSource {
  readonly request: ExecutionRequest;
  readonly signal: () => AbortSignal;
  readonly log: (line: LogLine) => void;
  readonly progress: (fraction: number, message: string | undefined) => void;
}

const SOURCE = Symbol('source');
const LOG = Symbol('log');

interface SourcedContext {
  readonly [SOURCE]: ContextSource;
  [LOG]: ContextLog | undefined;
}

/**
 * The members that come into being when they are first used. They are getters of one shared prototype: a getter
 * in the object itself would cost a hidden class for every execution (measured: 10 µs of garbage collection).
 */
const lazyMembers = {
  get signal(): AbortSignal {
    return (this as unknown as SourcedContext)[SOURCE].signal();
  },
  get log(): ContextLog {
    const context = this as unknown as SourcedContext;
    return (context[LOG] ??= createContextLog(context[SOURCE]));
  },
};

const DONE = Promise.resolve();

function createContextLog({ log }: ContextSource): ContextLog {
  const at =
    (level: LogLine['level']): ContextLogMethod =>
    (message, fields) =>
      log({ level, message, fields });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Makes what a handler is given. Signal and log come into being when they are first used. */
export function createExecutionContext(source: ContextSource): CapabilityContext {
  const { jobId, executionId, attempt, metadata } = source.request;
  const own: Omit<CapabilityContext, keyof typeof lazyMembers> &
    SourcedContext & { readonly __proto__: typeof lazyMembers } = {
    __proto__: lazyMembers,
    [SOURCE]: source,
    [LOG]: undefined,
    jobId,
    executionId,
    attempt,
    metadata,
    progress(fraction, message) {
      source.progress(fraction, message);
      return DONE;
    },
  };
  return own as unknown as CapabilityContext;
}
