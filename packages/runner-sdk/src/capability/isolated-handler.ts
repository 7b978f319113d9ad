import process, { argv, env, stderr, stdout } from 'node:process';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { CapabilityError } from '../errors/capability-error.js';
import { sayThrown } from '../util/safe-json.js';
import type { CapabilityContext } from './capability-context.js';
import { createIsolatedContext, type IsolatedContext } from './isolated-context.js';
import { ISOLATED_MARK, type FromIsolated, type ToIsolated } from './isolation-messages.js';
import { isOwnCredential } from './isolation.js';
import { toPortable } from './portable-copy.js';
import { guardAgainstLoss } from './runner-guard.js';
import { toWords } from './thrown-words.js';

/** The way back to the runner, from a thread or process that is there to run one capability. */
interface Isolated {
  readonly capabilityId: string;
  readonly post: (message: FromIsolated) => void;
  readonly listen: (take: (message: ToIsolated) => void) => void;
}

function findIsolated(): Isolated | undefined {
  if (!isMainThread) {
    const port = parentPort;
    const capabilityId = (workerData as Record<string, unknown> | null)?.[ISOLATED_MARK];
    if (!port || typeof capabilityId !== 'string') return undefined;
    return {
      capabilityId,
      post: (message) => port.postMessage(message),
      listen: (take) => void port.on('message', take),
    };
  }
  const at = argv.indexOf(ISOLATED_MARK);
  const capabilityId = argv[at + 1];
  if (at === -1 || capabilityId === undefined || !process.send) return undefined;
  return {
    capabilityId,
    post: (message: FromIsolated) => void process.send?.(message),
    listen(take) {
      process.addListener('message', (message) => take(message as ToIsolated));
      // The runner is gone: whatever goes on here, and what was started from here, is nobody's any more.
      const group = process.platform === 'win32' ? process.pid : -process.pid;
      process.addListener('disconnect', () => process.kill(group, 'SIGKILL'));
      guardAgainstLoss();
    },
  };
}

let known: { readonly isolated: Isolated | undefined } | undefined;
const isolatedOf = (): Isolated | undefined => (known ??= { isolated: findIsolated() }).isolated;

/** Whether this thread or process is there to run one capability for a runner elsewhere. */
export const isIsolated = (): boolean => isolatedOf() !== undefined;

/** What is written to standard output and error is the execution's, while there is one. */
function divertOutput(currentContext: () => CapabilityContext | undefined): void {
  for (const [stream, name] of [
    [stdout, 'stdout'],
    [stderr, 'stderr'],
  ] as const) {
    const write = stream.write.bind(stream);
    const divert = (chunk: string | Uint8Array, ...more: unknown[]): boolean => {
      const context = currentContext();
      if (!context) return (write as (...all: unknown[]) => boolean)(chunk, ...more);
      context.output(name, chunk);
      const done = more.find((item) => typeof item === 'function') as (() => void) | undefined;
      if (done) queueMicrotask(done);
      return true;
    };
    stream.write = divert;
  }
}

/** What runs here: the handler, and the schemas that make what it is given. */
export interface IsolatedWork {
  readonly input: StandardSchemaV1;
  readonly checkpoint: StandardSchemaV1 | undefined;
  readonly execute: (input: unknown, ctx: CapabilityContext) => unknown;
}

/** What a schema makes of a value. The runner has checked it already: it is refused only by a schema that wavers. */
async function parse(schema: StandardSchemaV1, value: unknown): Promise<unknown> {
  const result = await schema['~standard'].validate(value);
  if (!result.issues) return result.value;
  const said = result.issues.map(({ message }) => message).join('; ');
  throw new CapabilityError(
    'VALIDATION_ERROR',
    `refused where the handler runs, but not by the runner: ${said}`,
  );
}

/** The result as it crosses over: what JSON would make of it. */
function portableResult(value: unknown): unknown {
  try {
    return toPortable(value);
  } catch (error) {
    const message = `the result cannot be written as JSON: ${sayThrown(error)}`;
    throw new CapabilityError('OUTPUT_INVALID', message, { retryable: false, cause: error });
  }
}

/** A module that is loaded once more may read a file of variables once more. */
function forgetCredentials(): void {
  for (const name of Object.keys(env)) if (isOwnCredential(name)) delete env[name];
}

/**
 * In a thread or process that was started for this capability: takes executions from the runner and runs them.
 * Anywhere else it does nothing.
 */
export function serveIfIsolated(capabilityId: string, work: IsolatedWork): void {
  const isolated = isolatedOf();
  if (isolated?.capabilityId !== capabilityId) return;
  const { post, listen } = isolated;
  let current: IsolatedContext | undefined;

  const call = async (mine: IsolatedContext, given: unknown): Promise<FromIsolated> => {
    const { context, restore } = mine;
    try {
      if (work.checkpoint && context.lastCheckpoint !== undefined)
        restore(await parse(work.checkpoint, context.lastCheckpoint));
      const input = await parse(work.input, given);
      return { type: 'returned', value: portableResult(await work.execute(input, context)) };
    } catch (error) {
      return { type: 'threw', thrown: toWords(error) };
    }
  };
  const run = async ({ input, context }: Extract<ToIsolated, { type: 'start' }>): Promise<void> => {
    forgetCredentials();
    const mine = createIsolatedContext(context, (message) => {
      if (current === mine) post(message);
    });
    current = mine;
    const end = await call(mine, input);
    mine.end();
    current = undefined;
    post(end);
  };
  divertOutput(() => current?.context);
  listen((message) => {
    if (message.type === 'start') void run(message);
    else current?.take(message);
  });
  post({ type: 'ready' });
}
