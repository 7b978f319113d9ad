import type { Artifact } from '@controlplane/contracts';
import { ExecutionCancelled } from '../errors/execution-cancelled.js';
import { RunnerError } from '../errors/runner-error.js';
import { createDeferred, type Deferred } from '../util/deferred.js';
import { sayThrown, toSafeJson } from '../util/safe-json.js';
import { createYield } from '../util/yielding.js';
import type { CapabilityContext, ContextLog, ContextLogMethod } from './capability-context.js';
import { leaveIsolated, type PortableArtifact } from './isolated-artifact.js';
import { isolatedFiles } from './isolated-files.js';
import type { ContextWords, FromIsolated, Question, ToIsolated } from './isolation-messages.js';
import { toPortable } from './portable-copy.js';
import { fromWords } from './thrown-words.js';

/** Lines that may be under way before the runner has read them; then they are dropped, and that is said. */
const MAX_UNREAD = 10_000;

/** A context whose words cross over to the runner. */
export interface IsolatedContext {
  readonly context: CapabilityContext;
  /** Takes what the runner says while the execution goes on. */
  take(message: Exclude<ToIsolated, { type: 'start' }>): void;
  /** Sets what the last checkpoint was parsed to. */
  restore(lastCheckpoint: unknown): void;
  /** Says what was left unsaid; before the execution's end is told. */
  end(): void;
}

/** Lets as many lines out as the runner can take: a handler that logs in an endless loop must not fill its memory. */
function createGate(post: (message: FromIsolated) => void) {
  let unread = 0;
  let dropped = 0;
  const sayDropped = (): void => {
    if (dropped === 0) return;
    const message = `${dropped} lines or pieces of output were left out: they came faster than they were read`;
    dropped = 0;
    post({ type: 'log', level: 'warn', message });
  };
  return {
    sayDropped,
    pass(message: FromIsolated): void {
      if (unread >= MAX_UNREAD) {
        dropped++;
        return;
      }
      unread++;
      post(message);
    },
    read(count: number): void {
      unread -= count;
      sayDropped();
    },
  };
}

/** Questions that the runner answers. */
function createQuestions(post: (message: FromIsolated) => void) {
  const asked = new Map<number, Deferred<unknown>>();
  let nextId = 1;
  return {
    ask(what: Question, value?: unknown): Promise<unknown> {
      const id = nextId++;
      const answer = createDeferred<unknown>();
      asked.set(id, answer);
      try {
        post({ type: 'ask', id, what, value });
      } catch (error) {
        asked.delete(id);
        answer.reject(error);
      }
      return answer.promise;
    },
    answered({ id, value, thrown }: Extract<ToIsolated, { type: 'answer' }>): void {
      const answer = asked.get(id);
      asked.delete(id);
      if (thrown) answer?.reject(fromWords(thrown));
      else answer?.resolve(value);
    },
  };
}

function createLog(pass: (message: FromIsolated) => void): ContextLog {
  const logAt =
    (level: keyof ContextLog): ContextLogMethod =>
    (message, fields) =>
      pass({ type: 'log', level, message: String(message), ...(fields && { fields: toSafeJson(fields) }) });
  return { debug: logAt('debug'), info: logAt('info'), warn: logAt('warn'), error: logAt('error') };
}

function createProgress(pass: (message: FromIsolated) => void): CapabilityContext['progress'] {
  return (fraction, message) => {
    const said = message === undefined ? {} : { message: String(message) };
    pass({ type: 'progress', fraction, ...said });
    return Promise.resolve();
  };
}

/** A checkpoint as it crosses over: what JSON would make of it. */
function portableCheckpoint(data: unknown): unknown {
  try {
    return toPortable(data);
  } catch (error) {
    throw new RunnerError(
      'CHECKPOINT_REFUSED',
      `the checkpoint cannot be written as JSON: ${sayThrown(error)}`,
    );
  }
}

function createArtifact(
  ask: (artifact: PortableArtifact) => Promise<unknown>,
): CapabilityContext['artifact'] {
  return (name, content, options) =>
    leaveIsolated(name, { ...options, content }, async (artifact) => (await ask(artifact)) as Artifact);
}

/** Makes the context of one execution in a thread or process of its own. */
export function createIsolatedContext(
  words: ContextWords,
  post: (message: FromIsolated) => void,
): IsolatedContext {
  const gate = createGate(post);
  const stop = new AbortController();
  const shutdown = new AbortController();
  const { ask, answered } = createQuestions(post);
  const { deadline: deadlineMs, lastCheckpoint: kept, files, ...known } = words;
  let lastCheckpoint = kept;
  let deadline = new Date(deadlineMs);
  const context: CapabilityContext = {
    ...known,
    signal: stop.signal,
    shutdownSignal: shutdown.signal,
    get lastCheckpoint() {
      return lastCheckpoint;
    },
    get deadline() {
      return deadline;
    },
    yield: createYield(() => (stop.signal.aborted ? (stop.signal.reason as Error) : undefined)),
    log: createLog(gate.pass),
    notify: (message, { level, audience } = {}) =>
      gate.pass({ type: 'notify', message: String(message), options: { level, audience } }),
    progress: createProgress(gate.pass),
    output: (stream, chunk) => gate.pass({ type: 'output', stream, chunk }),
    redact: (value) => post({ type: 'redact', value: String(value) }),
    checkpoint: async (data) => void (await ask('checkpoint', portableCheckpoint(data))),
    willWrite: async () => void (await ask('willWrite')),
    artifact: createArtifact((artifact) => ask('artifact', artifact)),
    files: isolatedFiles(files, (wanted) => ask('saveFile', wanted)),
    async extend(ms) {
      deadline = new Date(Number(await ask('extend', ms)));
      return deadline;
    },
  };

  return {
    context,
    restore: (parsed) => void (lastCheckpoint = parsed),
    end: gate.sayDropped,
    take(message) {
      switch (message.type) {
        case 'abort':
          post({ type: 'aborting' });
          stop.abort(new ExecutionCancelled(message.kind, message.message));
          return;
        case 'shutdown':
          shutdown.abort(new ExecutionCancelled('shutdown', message.message));
          return;
        case 'read':
          gate.read(message.count);
          return;
        case 'answer':
          answered(message);
      }
    },
  };
}
