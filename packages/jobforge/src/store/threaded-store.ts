import { Worker } from 'node:worker_threads';
import type { ErrorCode, ErrorEnvelope } from '@controlplane/contracts';
import { JobForgeError } from '../model/job-forge-error.js';
import { flattened, outcomesOf, type FlatOutcomes } from './flat-batch.js';
import type { SqliteStoreOptions } from './sqlite-store.js';
import { StoreFailing } from './store-failing.js';
import type { Store } from './store.js';

/** A call of a store, for the thread that holds it. */
export interface Question {
  readonly id: number;
  readonly method: Exclude<keyof Store, 'shared'>;
  readonly argument: unknown;
}

/** What came of it; of id 0 for the opening of the store. */
export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: Fault;
}

/** What a thread can tell of an error. */
export interface Fault {
  readonly message: string;
  /** Of a refusal. */
  readonly envelope?: ErrorEnvelope;
  /** It was a {@link StoreFailing}. */
  readonly failing?: boolean;
}

interface Asked {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

type Ask = <T>(method: Question['method'] | undefined, argument?: unknown) => Promise<T>;

function errorOf({ message, envelope, failing }: Fault): Error {
  if (envelope !== undefined) return new JobForgeError(envelope.code as ErrorCode, envelope);
  return failing === true ? new StoreFailing(message) : new Error(message);
}

/** Questions to a thread and their answers. The thread keeps the process alive only while one is open. */
function askingOf(thread: Worker): Ask {
  const open = new Map<number, Asked>();
  let asked = 0;
  let ended: Error | undefined;

  const end = (reason: Error): void => {
    ended ??= reason;
    for (const { reject } of open.values()) reject(ended);
    open.clear();
  };
  thread.on('error', end);
  thread.on('exit', () => end(new Error('The thread of the store has ended.')));
  thread.on('message', ({ id, result, error }: Answer) => {
    const waiting = open.get(id);
    open.delete(id);
    if (open.size === 0) thread.unref();
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(errorOf(error));
  });

  return <T>(method: Question['method'] | undefined, argument?: unknown) =>
    new Promise<T>((resolve, reject) => {
      if (ended !== undefined) return reject(ended);
      // The opening is not asked for: it is answered by itself.
      const id = method === undefined ? 0 : (asked += 1);
      open.set(id, { resolve: resolve as Asked['resolve'], reject });
      thread.ref();
      if (method !== undefined) thread.postMessage({ id, method, argument } satisfies Question);
    });
}

/**
 * Opens a SQLite store in a thread of its own: what it takes to write a batch, and to wait for the disk, is not taken
 * from those who submit and run jobs.
 * @throws what `openSqliteStore` throws
 */
export async function openThreadedStore(program: URL, options: SqliteStoreOptions): Promise<Store> {
  const thread = new Worker(program, { workerData: options, execArgv: [] });
  const ask = askingOf(thread);
  await ask(undefined);
  return {
    commit: async (batch) => outcomesOf(await ask<FlatOutcomes>('commit', flattened(batch))),
    loadJob: (id) => ask('loadJob', id),
    loadJobs: (seqs) => ask('loadJobs', seqs),
    loadHistory: (seq) => ask('loadHistory', seq),
    loadNotifications: (seq) => ask('loadNotifications', seq),
    loadCheckpoint: (seq) => ask('loadCheckpoint', seq),
    listJobs: (query) => ask('listJobs', query),
    unfinishedJobs: (page) => ask('unfinishedJobs', page),
    loadRunners: () => ask('loadRunners'),
    loadRecords: (collection) => ask('loadRecords', collection),
    listLinks: (query) => ask('listLinks', query),
    prune: (query) => ask('prune', query),
    pruneLinks: (query) => ask('pruneLinks', query),
    async close() {
      const gone = new Promise((resolve) => void thread.once('exit', resolve));
      await ask('close');
      // Nothing else may be left that keeps the process alive: it is not to end before its store is closed.
      thread.ref();
      await gone;
    },
  };
}
