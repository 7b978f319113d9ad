/**
 * @module
 * scheduler/ decides and carries out: which job goes to which runner, what becomes of it, and in which order all of
 * that is written. It imports contracts, model/, store/store.ts and links/; never api or express.
 */
import type { Clock } from '../model/clock.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { Log } from '../model/log.js';
import type { Outcome, Store, StoreOperation } from '../store/store.js';
import { commitBatch, type BatchListener } from './batch-commit.js';
import { createCommitBacklog, type Bite, type Placed } from './commit-backlog.js';

/** Told what became of an operation: an error where it was not stored. */
export type Settled = (error: JobForgeError | undefined, outcome: Outcome) => void;

/** One list of everything to be written: what arrives while one transaction runs is the next one. */
export interface GroupCommit {
  /** Stores an operation or says that it could not: for what a caller waits for. */
  attempt(operation: StoreOperation, settled: Settled): void;
  /**
   * Stores an operation, again and again while the store cannot write: for what has happened already. `refused` hears
   * of an operation that cannot be stored although others can; without it that is logged.
   */
  keep(operation: StoreOperation, stored?: () => void, refused?: (error: JobForgeError) => void): void;
  /** Calls back once all that was given before is stored, or was refused for good. */
  passed(told: () => void): void;
  /** Called after the callbacks of each transaction: the moment to send what they gathered. */
  onFlush(flushed: () => void): void;
  /** Resolves once everything so far is stored. Rejects with the store's error when the last try failed. */
  drain(): Promise<void>;
  /** Drops what waits to be written: it is not this JobForge's to write any more. Who waits for it is refused. */
  discard(): void;
  /** Writes nothing more: who waits is refused, and so is whoever comes. */
  close(): void;
  /** Why the last transaction failed; undefined while all is well. */
  failure(): Error | undefined;
}

interface Entry extends Placed {
  readonly settled: Settled | undefined;
  readonly stored: (() => void) | undefined;
  readonly refused?: ((error: JobForgeError) => void) | undefined;
}

export interface GroupCommitOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly maxOperations: number;
}

const RETRY_MS = 500;
/** Operations that are worth a transaction while another is being flushed: fewer gather until that is through. */
const OVERLAP_FROM = 100;

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}

/** A callback's failure is its own: the others are told all the same. */
function guarded(log: Log, callback: () => void): void {
  try {
    callback();
  } catch (error) {
    log('error', 'a callback after a commit threw', { error: asError(error).stack });
  }
}

function tell(log: Log, entries: readonly Entry[], outcomes: readonly Outcome[]): void {
  for (const [index, { settled, stored }] of entries.entries()) {
    if (settled !== undefined) guarded(log, () => settled(undefined, outcomes[index] ?? 'done'));
    else if (stored !== undefined) guarded(log, stored);
  }
}

function unavailable({ name, message }: Error): JobForgeError {
  return new JobForgeError('STORE_UNAVAILABLE', {
    message: `The store could not be written: ${message.replace(/\.$/, '')}.`,
    causes: [{ name, message }],
  });
}

/** Refuses what cannot be stored although others can: who waits is told, and so is who said what to do then. */
function refuseAlone(log: Log, { operation, settled, refused }: Entry, cause: Error): void {
  log('error', 'the store refuses an operation', { operation: operation.kind, error: cause.message });
  const error = unavailable(cause);
  if (settled !== undefined) guarded(log, () => settled(error, 'done'));
  else if (refused !== undefined) guarded(log, () => refused(error));
}

/** Refuses those who wait. */
function refuse(log: Log, entries: readonly Entry[], cause: Error): void {
  if (entries.length === 0) return;
  log('error', 'the store could not be written', { error: cause.message });
  const error = unavailable(cause);
  for (const { settled } of entries) if (settled !== undefined) guarded(log, () => settled(error, 'done'));
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function waitIn(waiters: Waiter[]): Promise<void> {
  return new Promise((resolve, reject) => void waiters.push({ resolve, reject }));
}

function release(waiters: Waiter[], failure: Error | undefined): void {
  for (const waiter of waiters.splice(0)) {
    if (failure === undefined) waiter.resolve();
    else waiter.reject(failure);
  }
}

/** Places in the order of operations, and who is told when they are reached. */
interface Marks {
  set(at: number, told: () => void): void;
  reach(place: number): void;
}

function createMarks(log: Log): Marks {
  let marks: { readonly at: number; readonly told: () => void }[] = [];
  return {
    set: (at, told) => void marks.push({ at, told }),
    reach(place) {
      if (marks.length === 0) return;
      const reached = marks.filter(({ at }) => at <= place);
      marks = marks.filter(({ at }) => at > place);
      for (const { told } of reached) guarded(log, told);
    },
  };
}

function tellingOf(log: Log): BatchListener<Entry> {
  return {
    stored: (entries, outcomes) => tell(log, entries, outcomes),
    refused: (entry, error) => refuseAlone(log, entry, error),
  };
}

/** Transactions under way, oldest first. */
type UnderWay = readonly Bite<Entry>[];

/** Two at once where neither depends on the other and all is well: a third would wait for the same disk. */
function mayJoin(
  [first, second]: UnderWay,
  backlog: { readonly length: number; readonly free: boolean },
  failure: Error | undefined,
): boolean {
  if (first === undefined) return backlog.length > 0;
  if (second !== undefined || failure !== undefined) return false;
  return first.free && backlog.free && backlog.length >= OVERLAP_FROM;
}

/** The last place before which nothing is left: neither under way nor waiting, the first of which is given. */
function lastPassed(underWay: UnderWay, firstWaiting: number): number {
  return Math.min(firstWaiting, ...underWay.map(({ entries }) => entries[0]?.place ?? Infinity)) - 1;
}

export function createGroupCommit({ store, clock, log, maxOperations }: GroupCommitOptions): GroupCommit {
  const backlog = createCommitBacklog<Entry>();
  let [underWay, scheduled, closed]: [UnderWay, boolean, boolean] = [[], false, false];
  let failure: Error | undefined;
  /** Operations given so far; those that do not wait nor are being written are over. */
  let given = 0;
  const marks = createMarks(log);
  const [waiters, listeners]: [Waiter[], (() => void)[]] = [[], []];

  const isIdle = (): boolean => backlog.length === 0 && underWay.length === 0;
  const isDue = (): boolean => !closed && mayJoin(underWay, backlog, failure);
  const schedule = (): void => {
    if (scheduled || !isDue()) return;
    scheduled = true;
    if (failure === undefined) setImmediate(flush);
    else clock.after(RETRY_MS, flush);
  };

  const commit = async (bite: Bite<Entry>): Promise<void> => {
    const left = await commitBatch(store, bite.entries, tellingOf(log));
    underWay = underWay.filter((other) => other !== bite);
    failure = left?.error;
    if (left === undefined) marks.reach(lastPassed(underWay, backlog.first ?? given + 1));
    else {
      backlog.putBack(left.entries.filter((entry) => entry.settled === undefined));
      refuse(log, left.entries, left.error);
    }
    for (const flushed of listeners) guarded(log, flushed);
    if (isIdle() || failure !== undefined) release(waiters, failure);
    schedule();
  };

  function flush(): void {
    scheduled = false;
    if (!isDue()) return;
    const bite = backlog.take(maxOperations);
    underWay = [...underWay, bite];
    void commit(bite);
  }

  const drop = (why: string): void => refuse(log, backlog.clear(), new Error(why));
  const next = (): number => (given += 1);
  const add = (entry: Entry): void => {
    if (closed) return queueMicrotask(() => refuse(log, [entry], new Error('the store is closed')));
    backlog.add(entry);
    schedule();
  };

  return {
    attempt: (operation, settled) => add({ place: next(), operation, settled, stored: undefined }),
    keep: (operation, stored, refused) =>
      add({ place: next(), operation, settled: undefined, stored, refused }),
    ...{ passed: (told) => (isIdle() ? told() : marks.set(given, told)), failure: () => failure },
    onFlush: (flushed) => void listeners.push(flushed),
    drain: () => (isIdle() ? Promise.resolve() : waitIn(waiters)),
    discard() {
      drop('what was to be written is not known here any more');
      marks.reach(given);
      failure = undefined;
    },
    close() {
      closed = true;
      drop('the store is closed');
    },
  };
}
