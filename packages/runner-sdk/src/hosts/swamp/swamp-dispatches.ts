import { randomUUID } from 'node:crypto';
import { isTerminalEvent, REDACTED, type ExecutionEvent, type TerminalEvent } from '@controlplane/contracts';
import { SwampDispatch, type SwampResult } from '@controlplane/contracts/swamp';
import { sayThrown } from '../../util/safe-json.js';
import type { CommandLine } from '../command-line.js';
import type { HostedRunner } from '../host.js';
import { createDataPlane, dataPlaneUrlOf } from './data-plane.js';
import { createOutputLines, endOf, type ShellEnd } from './from-event.js';
import type { ResolvedSwampOptions } from './options.js';
import type { RpcReply } from './rpc-channel.js';
import { readDispatch, toRequest, type ShellDispatch } from './to-request.js';

/** What dispatches are made of. */
export interface SwampDispatchesOptions {
  readonly runner: HostedRunner;
  readonly options: ResolvedSwampOptions;
  readonly line: CommandLine;
  /** Of the session that there is now. */
  readonly credential: () => string | undefined;
}

/** The dispatches of one session. */
export interface SwampDispatches {
  /** Runs one, and answers. */
  take(params: unknown, reply: RpcReply): void;
  cancel(requestId: string): void;
  /** The connection is gone, and with it whoever waits: what runs is given up, so that it does not run twice. */
  onLost(): void;
  /** Resolves when every one of them was. */
  whenAnswered(): Promise<void>;
}

interface Open {
  readonly executionId: string;
  readonly dispatchId: string;
  readonly over: Promise<void>;
}

interface State extends SwampDispatchesOptions {
  readonly prefix: string;
  /** By the id of the request. */
  readonly open: Map<string, Open>;
  /** Dispatches that were given up with a connection, and how often: the next one of that id is run anew. */
  readonly abandoned: Map<string, number>;
  readonly leaving: AbortSignal;
  /** Of the connection that there is. */
  lost: AbortController;
}

/** Ids of dispatches that are remembered as given up. */
const MAX_ABANDONED = 256;

const errorOf = (error: string, durationMs = 0, logs: readonly string[] = []): SwampResult => ({
  status: 'error',
  error,
  outputs: [],
  logs: [...logs],
  durationMs,
});

/** A result is kept where secrets are not: what is printed was hidden on its way, what is kept is hidden here. */
function hiding(secrets: readonly string[]): (text: string) => string {
  const longestFirst = secrets.filter(Boolean).sort((one, other) => other.length - one.length);
  return (text) => longestFirst.reduce((hidden, value) => hidden.replaceAll(value, REDACTED), text);
}

interface Ended {
  readonly event: TerminalEvent;
  readonly end: Exclude<ShellEnd, { readonly kind: 'refused' }>;
  readonly logs: readonly string[];
  /** Aborted when nobody waits for the answer any more. */
  readonly gone: AbortSignal;
}

/** The answer to a command that has ended. */
async function resultOf(state: State, shell: ShellDispatch, ended: Ended): Promise<SwampResult> {
  const { runner, credential } = state;
  const { dispatch, args } = shell;
  const { event, end, logs, gone } = ended;
  const durationMs = Math.round(event.executionTimeMs);
  if (end.kind === 'error') return errorOf(end.error, durationMs, logs);
  const hide = hiding(dispatch.secretValues ?? []);
  try {
    const url = dataPlaneUrlOf(state.options, dispatch.dataPlaneUrl);
    const plane = createDataPlane(url, () => dispatch.dispatchCredential ?? credential(), runner.fetch);
    const { exitCode } = end;
    const data = {
      exitCode,
      stdout: hide(end.stdout),
      stderr: hide(end.stderr),
      durationMs,
      command: hide(args.run),
      executedAt: event.at,
    };
    const written = await plane.write(data, gone);
    if (!written.ok)
      return errorOf(
        `the command ended with ${exitCode}, but its result could not be written: ${written.message}`,
        durationMs,
        logs,
      );
    return { status: 'success', outputs: written.value, logs: [...logs], durationMs };
  } catch (error) {
    return errorOf(sayThrown(error), durationMs, logs);
  }
}

/** Who waits for a command, and what it is known as. */
interface Asked {
  readonly reply: RpcReply;
  readonly executionId: string;
}

/** Runs a command; resolves when it was answered. */
function runShell(state: State, shell: ShellDispatch, { reply, executionId }: Asked): Promise<void> {
  const { runner, line, options, leaving, lost } = state;
  const request = toRequest(shell, { executionId, line, passEnvironment: options.passEnvironment });
  const lines = createOutputLines();
  const logs: string[] = [];
  return new Promise((resolve) => {
    async function finish(event: TerminalEvent): Promise<void> {
      for (const one of lines.rest()) reply.stream(one);
      const end = endOf(event, shell.args);
      if (end.kind === 'refused') reply.fail(end.code, end.message);
      else {
        const gone = AbortSignal.any([leaving, lost.signal]);
        reply.respond(await resultOf(state, shell, { event, end, logs, gone }));
      }
      resolve();
    }
    runner.run(request, (event: ExecutionEvent) => {
      if (event.type === 'log' && event.stream === undefined && !line.isShell) logs.push(event.message);
      if (event.type === 'log') for (const one of lines.take(event)) reply.stream(one);
      if (isTerminalEvent(event)) void finish(event);
    });
  });
}

function take(state: State, params: unknown, reply: RpcReply): void {
  const parsed = SwampDispatch.safeParse(params);
  if (!parsed.success)
    return reply.fail('handler_failed', `the dispatch cannot be read: ${sayThrown(parsed.error)}`);
  const read = readDispatch(parsed.data);
  if (!('args' in read)) {
    if (read.code) return reply.fail(read.code, read.message);
    return reply.respond(errorOf(read.message));
  }
  const { dispatchId } = parsed.data;
  const given = state.abandoned.get(dispatchId);
  const executionId = [state.prefix, dispatchId, ...(given === undefined ? [] : [given])].join('.');
  try {
    const over = runShell(state, read, { reply, executionId }).finally(() => state.open.delete(reply.id));
    state.open.set(reply.id, { executionId, dispatchId, over });
  } catch (error) {
    reply.respond(errorOf(sayThrown(error)));
  }
}

/** Makes the set, empty. */
export function createSwampDispatches(
  options: SwampDispatchesOptions,
  leaving: AbortSignal,
): SwampDispatches {
  const state: State = {
    ...options,
    prefix: `swamp-${randomUUID().slice(0, 8)}`,
    open: new Map(),
    abandoned: new Map(),
    leaving,
    lost: new AbortController(),
  };
  const { runner, open, abandoned } = state;
  return {
    take: (params, reply) => take(state, params, reply),
    cancel(requestId) {
      const found = open.get(requestId);
      if (found) runner.cancel(found.executionId, 'user');
    },
    onLost() {
      state.lost.abort();
      state.lost = new AbortController();
      for (const { executionId, dispatchId } of open.values()) {
        if (runner.cancel(executionId, 'lease-lost') !== 'cancelling') continue;
        abandoned.set(dispatchId, (abandoned.get(dispatchId) ?? 0) + 1);
        const oldest = abandoned.size > MAX_ABANDONED ? abandoned.keys().next().value : undefined;
        if (oldest !== undefined) abandoned.delete(oldest);
      }
    },
    async whenAnswered() {
      await Promise.all([...open.values()].map(({ over }) => over));
    },
  };
}
