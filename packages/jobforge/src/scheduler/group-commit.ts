/**
 * @module
 * scheduler/ decides and carries out: which job goes to which runner, what becomes of it, and in which order all of
 * that is written. It imports contracts, model/, store/store.ts and links/; never api or express.
 */
import type { Clock } from '../model/clock.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { Log } from '../model/log.js';
import type { Outcome, Store, StoreOperation } from '../store/store.js';
import { commitBatch, whyUnwritable, type BatchListener, type Unstored } from './batch-commit.js';
import { createCommitBacklog, type Bite, type Placed } from './commit-backlog.js';
import { createCommitDoubts } from './commit-doubts.js';

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

/** Who is told of what is over: of places that are passed, of transactions, and once nothing is left. */
interface Followers {
  onFlush(flushed: () => void): void;
  /** Told once a place in the order of operations is passed. */
  mark(at: number, told: () => void): void;
  reach(place: number): void;
  wait(): Promise<void>;
  flushed(): void;
  release(failure: Error | undefined): void;
}

function createFollowers(log: Log): Followers {
  const listeners: (() => void)[] = [];
  const waiters: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  let marks: { readonly at: number; readonly told: () => void }[] = [];
  return {
    onFlush: (flushed) => void listeners.push(flushed),
    mark: (at, told) => void marks.push({ at, told }),
    reach(place) {
      if (marks.length === 0) return;
      const reached = marks.filter(({ at }) => at <= place);
      marks = marks.filter(({ at }) => at > place);
      for (const { told } of reached) guarded(log, told);
    },
    wait: () => new Promise((resolve, reject) => void waiters.push({ resolve, reject })),
    flushed() {
      for (const flushed of listeners) guarded(log, flushed);
    },
    release(failure) {
      for (const waiter of waiters.splice(0)) {
        if (failure === undefined) waiter.resolve();
        else waiter.reject(failure);
      }
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
): boolean {
  if (first === undefined) return backlog.length > 0;
  if (second !== undefined) return false;
  return first.free && backlog.free && backlog.length >= OVERLAP_FROM;
}

/** Stands for what the store is asked: nothing is written meanwhile. */
const NOTHING: Bite<Entry> = { entries: [], free: false };

/** Whether something can be done now. Whether all is well again is found out also where nothing waits for that. */
function isDue(underWay: UnderWay, { backlog, doubts }: Pending, failure: Error | undefined): boolean {
  if (doubts.length > 0 || failure !== undefined) return underWay.length === 0;
  return mayJoin(underWay, backlog);
}

/** The last place before which nothing is left: neither under way nor waiting, the first of which is given. */
function lastPassed(underWay: UnderWay, firstWaiting: number): number {
  return Math.min(firstWaiting, ...underWay.map(({ entries }) => entries[0]?.place ?? Infinity)) - 1;
}

/** Those for which nobody waits: what has happened, however long it takes to write it. */
const kept = (entries: readonly Entry[]): Entry[] => entries.filter(({ settled }) => settled === undefined);

/** What is to be written, and what becomes of it. */
function createPending(log: Log) {
  const backlog = createCommitBacklog<Entry>();
  const doubts = createCommitDoubts<Entry>({
    written: (entries, outcomes) => tell(log, entries, outcomes),
    unwritten: (entries) => backlog.putBack(entries),
  });
  /** Rises when all that was given before is given up. */
  let life = 0;
  const drop = (why: string): void => refuse(log, backlog.clear(), new Error(why));
  return {
    backlog,
    doubts,
    drop,
    first: () => Math.min(backlog.first ?? Infinity, doubts.first ?? Infinity),
    life: () => life,
    /** What could not be written waits, or is asked about; those who wait for it are told now. */
    leave({ entries, doubtful, error }: Unstored<Entry>, begun: number): void {
      if (begun === life) {
        if (doubtful !== undefined) doubts.add({ ...doubtful, entries: kept(doubtful.entries) });
        backlog.putBack(kept(entries));
      }
      refuse(log, [...(doubtful?.entries ?? []), ...entries], error);
    },
    /** What the store is asked before anything is written, where it failed or that depends on its answer. */
    async ask(store: Store): Promise<Unstored<Entry> | undefined> {
      const error = await (doubts.length > 0 ? doubts.settle() : whyUnwritable(store));
      return error && { entries: [], error };
    },
    giveUp(): void {
      life += 1;
      doubts.clear();
      drop('what was to be written is not known here any more');
    },
  };
}

type Pending = ReturnType<typeof createPending>;

/** What is to be written, on its way to the store. */
interface Writer extends Pick<GroupCommit, 'discard' | 'close' | 'failure'> {
  add(entry: Entry): void;
  isIdle(): boolean;
}

function createWriter(
  { store, clock, log, maxOperations }: GroupCommitOptions,
  followers: Followers,
): Writer {
  const pending = createPending(log);
  const { backlog, doubts } = pending;
  let [underWay, scheduled, closed]: [UnderWay, boolean, boolean] = [[], false, false];
  let failure: Error | undefined;

  const isIdle = (): boolean => backlog.length + underWay.length + doubts.length === 0;
  const schedule = (): void => {
    if (scheduled || closed || !isDue(underWay, pending, failure)) return;
    scheduled = true;
    if (failure === undefined) setImmediate(flush);
    else clock.after(RETRY_MS, flush);
  };
  const run = async (bite: Bite<Entry>, work: Promise<Unstored<Entry> | undefined>): Promise<void> => {
    underWay = [...underWay, bite];
    const begun = pending.life();
    const left = await work;
    underWay = underWay.filter((other) => other !== bite);
    if (left !== undefined) pending.leave(left, begun);
    failure = left?.error;
    if (failure === undefined) followers.reach(lastPassed(underWay, pending.first()));
    followers.flushed();
    if (isIdle() || failure !== undefined) followers.release(failure);
    schedule();
  };

  function flush(): void {
    scheduled = false;
    if (closed || !isDue(underWay, pending, failure)) return;
    if (doubts.length > 0 || backlog.length === 0) return void run({ ...NOTHING }, pending.ask(store));
    const bite = backlog.take(maxOperations);
    void run(bite, commitBatch(store, bite.entries, tellingOf(log)));
  }

  return {
    isIdle,
    failure: () => failure,
    add(entry) {
      if (closed) return queueMicrotask(() => refuse(log, [entry], new Error('the store is closed')));
      backlog.add(entry);
      schedule();
    },
    discard() {
      pending.giveUp();
      failure = undefined;
    },
    close() {
      closed = true;
      pending.drop('the store is closed');
    },
  };
}

export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  const followers = createFollowers(options.log);
  const { add, isIdle, failure, discard, close } = createWriter(options, followers);
  /** Operations given so far; those that do not wait nor are being written are over. */
  let given = 0;
  const next = (): number => (given += 1);
  return {
    attempt: (operation, settled) => add({ place: next(), operation, settled, stored: undefined }),
    keep: (operation, stored, refused) =>
      add({ place: next(), operation, settled: undefined, stored, refused }),
    passed: (told) => (isIdle() ? told() : followers.mark(given, told)),
    onFlush: followers.onFlush,
    drain: () => (isIdle() ? Promise.resolve() : followers.wait()),
    ...{ failure, close },
    discard() {
      discard();
      followers.reach(given);
    },
  };
}
