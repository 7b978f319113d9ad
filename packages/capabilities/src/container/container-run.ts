import { setTimeout as wait } from 'node:timers/promises';
import type { CapabilityContext } from '@controlplane/runner-sdk';
import type { Captured } from '../process/command-outcome.js';
import type { ProcessEnd } from '../process/run-process.js';
import { createArguments, type ContainerPlan } from './container-arguments.js';
import { containerState, notStarted, type ContainerState } from './container-state.js';
import { causeIn, engineCommand, killArguments, removeArguments } from './engine-command.js';
import type { Engine } from './engine.js';

const REMOVE_ATTEMPTS = 5;
const REMOVE_AGAIN_MS = 500;
/** The client ends by itself once its container has; if not, it is ended. */
const CLIENT_GRACE_MS = 2_000;

/** What a container is run with. */
export interface ContainerRun {
  readonly engine: Engine;
  readonly plan: ContainerPlan;
  readonly ctx: CapabilityContext;
  readonly captured: Captured;
  /** Milliseconds between SIGTERM and SIGKILL. */
  readonly termGraceMs: number;
  /** Values of the variables that are passed on. */
  readonly env: Readonly<Record<string, string>>;
}

/** Makes the container: fetches the image where that is asked for. */
export async function makeContainer({ engine, plan, ctx, env }: ContainerRun): Promise<void> {
  const answer = await engineCommand(engine, createArguments(engine, plan), { signal: ctx.signal, env });
  if (ctx.signal.aborted) throw ctx.signal.reason;
  if (answer.exitCode !== 0) throw notStarted(`the image ${plan.input.image}`, answer.stderr);
}

/** The container itself is told to stop, whatever becomes of the client. */
async function stopContainer({ engine, plan, termGraceMs }: ContainerRun): Promise<void> {
  const stop = ['stop', '-t', String(Math.ceil(termGraceMs / 1_000)), plan.name];
  const { exitCode } = await engineCommand(engine, stop);
  if (exitCode !== 0) await engineCommand(engine, killArguments([plan.name]));
}

/** Starts the container and follows it to its end. */
export async function followContainer(
  run: ContainerRun,
): Promise<ProcessEnd & { readonly state: ContainerState }> {
  const { engine, plan, ctx, captured } = run;
  const client = new AbortController();
  let stopping: Promise<void> | undefined;
  const stop = (): void => {
    stopping ??= stopContainer(run)
      .then(() => wait(CLIENT_GRACE_MS, undefined, { signal: client.signal }))
      .then(
        () => client.abort(),
        // The client ended first, or the engine does not answer: then the removal has to do.
        () => client.abort(),
      );
  };
  ctx.signal.addEventListener('abort', stop, { once: true });
  if (ctx.signal.aborted) stop();
  try {
    const stdin = plan.input.stdin;
    const args = [
      'start',
      '--attach',
      '--sig-proxy=false',
      ...(stdin === undefined ? [] : ['--interactive']),
      plan.name,
    ];
    const end = await engineCommand(engine, args, {
      signal: client.signal,
      stdin,
      onOutput(stream, chunk) {
        captured[stream].write(chunk);
        ctx.output(stream, chunk);
      },
    });
    client.abort();
    await stopping;
    const state = await containerState(engine, plan.name);
    if (!state.started && !ctx.signal.aborted)
      throw notStarted(`the container of ${plan.input.image}`, state.error || captured.stderr.read().text);
    return { ...end, exitCode: state.exitCode, signal: null, state };
  } finally {
    ctx.signal.removeEventListener('abort', stop);
  }
}

/**
 * Removes a container, running or not, with its volumes.
 * @returns why it could not be removed; undefined when it is gone
 */
export async function removeContainer(engine: Engine, name: string): Promise<string | undefined> {
  let cause = '';
  for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt++) {
    if (attempt > 0) await wait(REMOVE_AGAIN_MS);
    const answer = await engineCommand(engine, removeArguments(engine, [name]));
    if (answer.exitCode === 0 || /no such container|no container with name/i.test(answer.stderr))
      return undefined;
    cause = causeIn(answer.stderr);
  }
  return cause;
}
