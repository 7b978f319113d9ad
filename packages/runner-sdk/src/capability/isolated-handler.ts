import process, { argv, stderr, stdout } from 'node:process';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import type { CapabilityContext } from './capability-context.js';
import { createIsolatedContext, type IsolatedContext } from './isolated-context.js';
import { ISOLATED_MARK, type FromIsolated, type ToIsolated } from './isolation-messages.js';
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
      // The runner is gone: whatever goes on here is nobody's any more.
      process.addListener('disconnect', () => process.kill(process.pid, 'SIGKILL'));
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

type Execute = (input: unknown, ctx: CapabilityContext) => unknown;

/** A result becomes JSON in any case: what cannot cross as it is crosses as that. */
function postResult(post: Isolated['post'], value: unknown): void {
  try {
    post({ type: 'returned', value });
  } catch {
    const json = JSON.stringify(value) as string | undefined;
    post({ type: 'returned', value: json === undefined ? undefined : JSON.parse(json) });
  }
}

/**
 * In a thread or process that was started for this capability: takes executions from the runner and runs them.
 * Anywhere else it does nothing.
 */
export function serveIfIsolated(capabilityId: string, execute: Execute): void {
  const isolated = isolatedOf();
  if (isolated?.capabilityId !== capabilityId) return;
  const { post, listen } = isolated;
  let current: IsolatedContext | undefined;

  const run = async ({ input, context }: Extract<ToIsolated, { type: 'start' }>): Promise<void> => {
    const mine = createIsolatedContext(context, (message) => {
      if (current === mine) post(message);
    });
    current = mine;
    try {
      const value = await execute(input, mine.context);
      current = undefined;
      postResult(post, value);
    } catch (error) {
      current = undefined;
      post({ type: 'threw', thrown: toWords(error) });
    }
  };
  divertOutput(() => current?.context);
  listen((message) => {
    if (message.type === 'start') void run(message);
    else current?.take(message);
  });
  post({ type: 'ready' });
}
