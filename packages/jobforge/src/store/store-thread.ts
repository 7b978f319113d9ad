import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { isJobForgeError } from '../model/job-forge-error.js';
import { flatOutcomes, unflattened, type FlatBatch } from './flat-batch.js';
import { openSqliteStore, type SqliteStoreOptions } from './sqlite-store.js';
import { StoreFailing } from './store-failing.js';
import type { Store } from './store.js';
import type { Answer, Fault, Question } from './threaded-store.js';

function told(error: unknown): Fault {
  if (isJobForgeError(error)) return { message: error.message, envelope: error.envelope };
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof StoreFailing ? { message, failing: true } : { message };
}

async function answerOf(store: Store, { method, argument }: Question): Promise<unknown> {
  if (method === 'commit') return flatOutcomes(await store.commit(unflattened(argument as FlatBatch)));
  // Each has one argument of its own; the compiler cannot pair the two.
  return (store[method] as (argument: unknown) => Promise<unknown>)(argument);
}

async function serve(port: MessagePort, options: SqliteStoreOptions): Promise<void> {
  let store: Store;
  try {
    store = await openSqliteStore(options);
  } catch (error) {
    return port.postMessage({ id: 0, error: told(error) } satisfies Answer);
  }
  const answer = async (question: Question): Promise<void> => {
    const { id, method } = question;
    const settled = answerOf(store, question).then(
      (result): Answer => ({ id, result }),
      (error: unknown): Answer => ({ id, error: told(error) }),
    );
    port.postMessage(await settled);
    if (method === 'close') port.close();
  };
  port.on('message', (question: Question) => void answer(question));
  port.postMessage({ id: 0 } satisfies Answer);
}

/** What a thread does that {@link openThreadedStore} has started: holds a SQLite store and answers for it. */
export async function serveStore(): Promise<void> {
  if (parentPort === null) throw new Error('This file is for a thread of JobForge.');
  await serve(parentPort, workerData as SqliteStoreOptions);
}
