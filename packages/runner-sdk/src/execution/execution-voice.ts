import type { LogEvent } from '@controlplane/contracts';
import type { CapabilityContext, ContextLogMethod } from '../capability/capability-context.js';
import { announceWriting, extend, keepCheckpoint } from './announcements.js';
import { leaveArtifact } from './artifacts.js';
import { createChildOutput, type ChildOutput } from './child-output.js';
import { emitProgress, emitSaid } from './event-channel.js';
import type { HandlerScope } from './handler-scope.js';
import { createContextFiles } from './job-files.js';
import { boundLog, sendHeld } from './log-bounds.js';
import { emitLog, type LogLine } from './log-lines.js';
import { createNotifications } from './notifications.js';
import { extrasOf, type RunningExecution } from './running-executions.js';
import { createSecrets } from './secrets.js';

/** What a handler speaks with, and what it asks its job for. */
export type Voice = Pick<
  CapabilityContext,
  | 'log'
  | 'notify'
  | 'progress'
  | 'checkpoint'
  | 'extend'
  | 'willWrite'
  | 'artifact'
  | 'files'
  | 'output'
  | 'redact'
>;

const DONE = Promise.resolve();

/** Notes that the handler is alive, where somebody looks. */
function touch({ clock }: HandlerScope, execution: RunningExecution): void {
  if (execution.capability.idleTimeoutMs !== undefined) extrasOf(execution).lastActivityMs = clock.elapsed();
}

function writeToLogger({ logger }: HandlerScope, execution: RunningExecution, event: LogEvent): void {
  const { level, message, fields, stream } = event;
  const { executionId, jobId } = execution.request;
  const about = { executionId, jobId, capability: execution.capability.id };
  // Output can be binary noise or very long: it is the job's, and the runner's own log only when debugging.
  if (stream) logger.debug({ ...about, stream }, message);
  else logger[level]({ ...about, ...(fields && { fields }) }, message);
}

function writeLog(scope: HandlerScope, execution: RunningExecution, line: LogLine): void {
  touch(scope, execution);
  const { extras, channel } = execution;
  // What was put out before the line stands before it.
  extras?.output?.flush();
  const { limits, timestamp } = scope;
  const event = emitLog(channel, line, { at: timestamp(), limits, secrets: extras?.secrets });
  if (event) writeToLogger(scope, execution, event);
}

function createOutput(scope: HandlerScope, execution: RunningExecution): ChildOutput {
  const { limits, clock, timestamp } = scope;
  const { channel } = execution;
  const extras = extrasOf(execution);
  return createChildOutput({
    clock,
    maxChunkBytes: limits.maxOutputChunkBytes,
    maxChunkMs: limits.maxOutputChunkMs,
    unfinished: (text) => extras.secrets?.unfinished(text) ?? 0,
    hide: (text) => extras.secrets?.hide(text) ?? text,
    send(stream, message) {
      if (channel.terminal) return;
      const level = stream === 'stdout' ? ('info' as const) : ('warn' as const);
      const bytes = Buffer.byteLength(message);
      const event = { type: 'log' as const, at: timestamp(), level, message, stream };
      const sent = boundLog(channel, { event, bytes }, limits);
      if (sent) writeToLogger(scope, execution, sent);
    },
  });
}

/** Sends everything that was gathered or held back, before the terminal event. */
export function finishVoice(scope: HandlerScope, execution: RunningExecution): void {
  execution.extras?.output?.end();
  sendHeld(execution.channel, (event) => writeToLogger(scope, execution, event));
}

/** Makes what a handler speaks with. */
export function createVoice(scope: HandlerScope, execution: RunningExecution): Voice {
  const { channel } = execution;
  const logAt =
    (level: LogLine['level']): ContextLogMethod =>
    (message, fields) =>
      writeLog(scope, execution, { level, message, fields });
  return {
    log: { debug: logAt('debug'), info: logAt('info'), warn: logAt('warn'), error: logAt('error') },
    notify: createNotifications({
      hide: (text) => execution.extras?.secrets?.hide(text) ?? text,
      tell(notification) {
        touch(scope, execution);
        execution.extras?.output?.flush();
        if (channel.terminal) return;
        const { level, message, audience } = notification;
        const meant = audience === undefined ? {} : { audience };
        const event = { type: 'log' as const, at: scope.timestamp(), level, message };
        const sent = emitSaid(channel, { ...event, notification: meant });
        if (sent.type === 'log') writeToLogger(scope, execution, sent);
      },
      log: (line) => writeLog(scope, execution, line),
    }),
    progress(fraction, message) {
      touch(scope, execution);
      const secrets = execution.extras?.secrets;
      const said = secrets && message !== undefined ? secrets.hide(String(message)) : message;
      emitProgress(channel, { fraction, message: said, at: scope.timestamp() });
      return DONE;
    },
    checkpoint(data) {
      touch(scope, execution);
      return keepCheckpoint(scope, execution, data);
    },
    extend: (ms) => extend(scope, execution, ms),
    willWrite: () => announceWriting(scope, execution),
    artifact(name, content, options) {
      touch(scope, execution);
      const left = leaveArtifact(scope, execution, {
        ...{ ...options, name, content },
        onPiece: () => touch(scope, execution),
      });
      // A handler that does not wait for it must not take the runner down.
      left.catch((err: unknown) => scope.logger.debug({ err, artifact: name }, 'an artifact was not left'));
      return left;
    },
    files: createContextFiles(scope, execution, () => touch(scope, execution)),
    output(stream, chunk) {
      if (channel.terminal) return;
      touch(scope, execution);
      const extras = extrasOf(execution);
      (extras.output ??= createOutput(scope, execution)).write(stream, chunk);
    },
    redact(value) {
      const extras = extrasOf(execution);
      (extras.secrets ??= createSecrets()).add(String(value));
    },
  };
}
