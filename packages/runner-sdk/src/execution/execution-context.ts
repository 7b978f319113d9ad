import type { CapabilityContext } from '../capability/capability-context.js';
import { ExecutionCancelled } from '../errors/execution-cancelled.js';
import { createYield } from '../util/yielding.js';
import { deadlineOf, overReason } from './announcements.js';
import { createVoice, type Voice } from './execution-voice.js';
import { givenSecrets } from './given-secrets.js';
import type { HandlerScope } from './handler-scope.js';
import { extrasOf, type RunningExecution } from './running-executions.js';

const SCOPE = Symbol('scope');
const EXECUTION = Symbol('execution');
const VOICE = Symbol('voice');

interface SourcedContext {
  readonly [SCOPE]: HandlerScope;
  readonly [EXECUTION]: RunningExecution;
  [VOICE]: Voice | undefined;
}

const voiceOf = (context: SourcedContext): Voice =>
  (context[VOICE] ??= createVoice(context[SCOPE], context[EXECUTION]));

function shutdownSignalOf({ shuttingDown }: HandlerScope, execution: RunningExecution): AbortSignal {
  const { signal } = (extrasOf(execution).shutdown ??= new AbortController());
  if (shuttingDown) announceShutdown(execution);
  return signal;
}

/** Tells a handler that looks at its `shutdownSignal` that the runner has begun to shut down. */
export function announceShutdown({ extras }: RunningExecution): void {
  extras?.shutdown?.abort(new ExecutionCancelled('shutdown', 'the runner has begun to shut down'));
}

/**
 * The members that come into being when they are first used. They are getters of one shared prototype: a getter
 * in the object itself would cost a hidden class for every execution (measured: 10 µs of garbage collection).
 */
const lazyMembers = {
  get signal(): AbortSignal {
    const { [SCOPE]: scope, [EXECUTION]: execution } = sourced(this);
    return scope.deadlines.signalOf(execution);
  },
  get shutdownSignal(): AbortSignal {
    return shutdownSignalOf(sourced(this)[SCOPE], sourced(this)[EXECUTION]);
  },
  get deadline(): Date {
    return deadlineOf(sourced(this)[SCOPE], sourced(this)[EXECUTION]);
  },
  get lastCheckpoint(): unknown {
    return sourced(this)[EXECUTION].lastCheckpoint;
  },
  get secrets(): Readonly<Record<string, string>> {
    return givenSecrets(sourced(this)[EXECUTION]);
  },
  get yield(): CapabilityContext['yield'] {
    const { [EXECUTION]: execution } = sourced(this);
    return (extrasOf(execution).yield ??= createYield(() => overReason(execution)));
  },
  get log(): Voice['log'] {
    return voiceOf(sourced(this)).log;
  },
  get notify(): Voice['notify'] {
    return voiceOf(sourced(this)).notify;
  },
  get progress(): Voice['progress'] {
    return voiceOf(sourced(this)).progress;
  },
  get checkpoint(): Voice['checkpoint'] {
    return voiceOf(sourced(this)).checkpoint;
  },
  get extend(): Voice['extend'] {
    return voiceOf(sourced(this)).extend;
  },
  get willWrite(): Voice['willWrite'] {
    return voiceOf(sourced(this)).willWrite;
  },
  get artifact(): Voice['artifact'] {
    return voiceOf(sourced(this)).artifact;
  },
  get files(): Voice['files'] {
    return voiceOf(sourced(this)).files;
  },
  get output(): Voice['output'] {
    return voiceOf(sourced(this)).output;
  },
  get redact(): Voice['redact'] {
    return voiceOf(sourced(this)).redact;
  },
};

const sourced = (context: unknown): SourcedContext => context as SourcedContext;

/** Makes what a handler is given: one object; everything else comes into being when it is first used. */
export function createExecutionContext(scope: HandlerScope, execution: RunningExecution): CapabilityContext {
  const { jobId, executionId, attempt, metadata, capabilityId } = execution.request;
  const own: Omit<CapabilityContext, keyof typeof lazyMembers> &
    SourcedContext & { readonly __proto__: typeof lazyMembers } = {
    __proto__: lazyMembers,
    [SCOPE]: scope,
    [EXECUTION]: execution,
    [VOICE]: undefined,
    jobId,
    executionId,
    capabilityId,
    attempt,
    metadata,
  };
  return own as unknown as CapabilityContext;
}
