import type { CancelReason, LogLevel } from '@controlplane/contracts';
import type { CapabilityContext } from '../../capability/capability-context.js';
import type { PortableArtifact } from '../../capability/isolated-artifact.js';
import type { WantedFile } from '../../capability/isolated-files.js';
import type { ContextWords, FromIsolated } from '../../capability/isolation-messages.js';
import { fromWords, toWords } from '../../capability/thrown-words.js';
import { CapabilityError } from '../../errors/capability-error.js';
import { isExecutionCancelled } from '../../errors/execution-cancelled.js';
import type { Clock, TimerHandle } from '../../util/clock.js';
import { createDeferred, type Deferred } from '../../util/deferred.js';
import { sayThrown } from '../../util/safe-json.js';
import type { Child, ChildListener } from './child.js';

/** A child that does not say within this time that it heard of an abort is blocked. */
const BLOCKED_MS = 1_000;
/** Lines after which the child is told that they were read. */
const READ_EVERY = 500;

/** What calls across stand on. */
export interface IsolatedCallOptions {
  readonly clock: Clock;
  /** Milliseconds that a handler which has heard of its abort gets before it is ended by force. */
  readonly graceMsOf: (reason: CancelReason) => number;
}

function contextWords(ctx: CapabilityContext): ContextWords {
  const { jobId, executionId, capabilityId, attempt, metadata, lastCheckpoint, deadline } = ctx;
  const secrets = { ...ctx.secrets };
  const files = ctx.files.list();
  const words = { jobId, executionId, capabilityId, attempt, metadata, lastCheckpoint, secrets, files };
  return { ...words, deadline: deadline.getTime() };
}

function ask(
  ctx: CapabilityContext,
  { what, value }: Extract<FromIsolated, { type: 'ask' }>,
): Promise<unknown> {
  switch (what) {
    case 'checkpoint':
      return ctx.checkpoint(value);
    case 'extend':
      return ctx.extend(Number(value)).then((deadline) => deadline.getTime());
    case 'willWrite':
      return ctx.willWrite();
    case 'saveFile': {
      const { name, path } = value as WantedFile;
      return ctx.files.save(name, path);
    }
    case 'artifact': {
      const { name, content, ...options } = value as PortableArtifact;
      return ctx.artifact(name, content, options);
    }
  }
}

type Line = Extract<FromIsolated, { type: 'log' | 'notify' | 'output' | 'progress' }>;

function say(ctx: CapabilityContext, line: Line): void {
  if (line.type === 'progress') void ctx.progress(line.fraction, line.message);
  else if (line.type === 'output') ctx.output(line.stream, line.chunk);
  else if (line.type === 'notify') ctx.notify(line.message, line.options);
  else
    ctx.log[line.level satisfies LogLevel](line.message, line.fields as Record<string, unknown> | undefined);
}

/** Ends a child that does not stop by itself, and forgets to when it does. */
function createForce(child: Child, { clock, graceMsOf }: IsolatedCallOptions) {
  let timer: TimerHandle | undefined;
  let isForced = false;
  const after = (ms: number): void => {
    if (timer !== undefined) clock.clearTimeout(timer);
    timer = clock.setTimeout(() => {
      isForced = true;
      void child.kill();
    }, ms);
  };
  return {
    get isForced() {
      return isForced;
    },
    told: () => after(BLOCKED_MS),
    heard: (kind: CancelReason) => after(graceMsOf(kind)),
    forget() {
      if (timer !== undefined) clock.clearTimeout(timer);
    },
  };
}

/** What the calls of one execution know of one another. */
interface Call {
  readonly child: Child;
  readonly ctx: CapabilityContext;
  readonly outcome: Deferred<unknown>;
  readonly force: ReturnType<typeof createForce>;
  unread: number;
}

const kindOf = ({ reason }: AbortSignal): CancelReason =>
  isExecutionCancelled(reason) ? reason.kind : 'user';
const messageOf = ({ reason }: AbortSignal): string => sayThrown(reason);

function hear(call: Call, message: FromIsolated): void {
  const { child, ctx, outcome, force } = call;
  switch (message.type) {
    case 'log':
    case 'notify':
    case 'output':
    case 'progress':
      say(ctx, message);
      if (++call.unread < READ_EVERY) return;
      child.send({ type: 'read', count: call.unread });
      call.unread = 0;
      return;
    case 'redact':
      return ctx.redact(message.value);
    case 'ask': {
      const { id } = message;
      ask(ctx, message).then(
        (value) => child.send({ type: 'answer', id, value }),
        (error: unknown) => child.send({ type: 'answer', id, thrown: toWords(error) }),
      );
      return;
    }
    case 'aborting':
      return force.heard(kindOf(ctx.signal));
    case 'returned':
      return outcome.resolve(message.value);
    case 'threw':
      return outcome.reject(fromWords(message.thrown));
    case 'ready':
  }
}

function listen(call: Call): ChildListener {
  const { ctx, outcome, force } = call;
  return {
    said: (message) => hear(call, message),
    wrote: (stream, chunk) => ctx.output(stream, chunk),
    gone(why) {
      const message = `the handler did not return: ${force.isForced ? 'it was ended by force' : why}`;
      outcome.reject(new CapabilityError('EXECUTION_CRASHED', message));
    },
  };
}

/**
 * Runs one execution in a child: what it says is said by the context here, and the signals here reach it there.
 * @returns what the handler returned; rejects with what it threw, or with `EXECUTION_CRASHED` when the child ended
 */
export function callIsolated(
  child: Child,
  { input, ctx }: { readonly input: unknown; readonly ctx: CapabilityContext },
  options: IsolatedCallOptions,
): Promise<unknown> {
  const { signal, shutdownSignal } = ctx;
  if (signal.aborted) return Promise.reject(signal.reason as Error);
  const outcome = createDeferred<unknown>();
  const force = createForce(child, options);
  child.listener = listen({ child, ctx, outcome, force, unread: 0 });
  const abort = (): void => {
    child.send({ type: 'abort', kind: kindOf(signal), message: messageOf(signal) });
    force.told();
  };
  const shutDown = (): void => child.send({ type: 'shutdown', message: messageOf(shutdownSignal) });
  signal.addEventListener('abort', abort, { once: true });
  if (!shutdownSignal.aborted) shutdownSignal.addEventListener('abort', shutDown, { once: true });
  try {
    child.send({ type: 'start', input, context: contextWords(ctx) });
    if (shutdownSignal.aborted) shutDown();
  } catch (error) {
    outcome.reject(error);
  }
  return outcome.promise.finally(() => {
    force.forget();
    signal.removeEventListener('abort', abort);
    shutdownSignal.removeEventListener('abort', shutDown);
  });
}
