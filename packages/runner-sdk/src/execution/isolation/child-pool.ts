import { RunnerError } from '../../errors/runner-error.js';
import type { Clock } from '../../util/clock.js';
import { createDeferred, type Deferred } from '../../util/deferred.js';
import type { Child, StartChild } from './child.js';

/** Warm children of one capability, each for one execution at a time. */
export interface ChildPool {
  /** A child that is ready; waits while as many as may are busy. */
  take(): Promise<Child>;
  /** Gives it back after a clean end; one that is gone makes room for another. */
  giveBack(child: Child): void;
  /** Ends all by force: told before it returns, gone when it resolves. */
  close(): Promise<void>;
}

/** What a pool is made of. */
export interface ChildPoolOptions {
  readonly capabilityId: string;
  readonly start: StartChild;
  /** Children at most. */
  readonly max: number;
  /** How many of them stay when nothing runs. */
  readonly maxIdle: number;
  readonly startTimeoutMs: number;
  readonly clock: Clock;
}

/** Starts a child and waits until its module has defined the capability. */
function startReady({ capabilityId, start, startTimeoutMs, clock }: ChildPoolOptions): Promise<Child> {
  const ready = createDeferred<Child>();
  const child = start();
  let wrote = '';
  const fail = (why: string): void => {
    clock.clearTimeout(timer);
    const last = wrote.trim() === '' ? '' : `; it wrote: ${wrote.trim().slice(-1000)}`;
    const message = `capability "${capabilityId}" cannot be isolated: ${why}${last}. Its module must define it with defineCapability when it is loaded.`;
    ready.reject(new RunnerError('INVALID_CAPABILITY', message));
    void child.kill();
  };
  const timer = clock.setTimeout(
    () => fail(`its module did not define it within ${startTimeoutMs} ms`),
    startTimeoutMs,
  );
  child.listener = {
    said({ type }) {
      if (type !== 'ready') return;
      clock.clearTimeout(timer);
      child.listener = undefined;
      ready.resolve(child);
    },
    wrote: (_stream, chunk) => (wrote = (wrote + Buffer.from(chunk).toString()).slice(-4000)),
    gone: (why) => fail(why),
  };
  return ready.promise;
}

const closedError = ({ capabilityId }: ChildPoolOptions): RunnerError =>
  new RunnerError('STOPPED', `the runner of "${capabilityId}" was stopped`);

/** The child that was used last and is not gone; those that are go out with it. */
function popLiving(idle: Child[]): Child | undefined {
  let child = idle.pop();
  while (child?.isGone) child = idle.pop();
  if (child) child.listener = undefined;
  return child;
}

/** All that were started and are not gone, also those that are not ready yet. */
function createLiving(startChild: StartChild) {
  const living = new Set<Child>();
  return {
    start(): Child {
      for (const child of living) if (child.isGone) living.delete(child);
      const child = startChild();
      living.add(child);
      return child;
    },
    kill: async () => void (await Promise.all([...living].map((child) => child.kill()))),
  };
}

/** Makes a pool; nothing is started yet. */
export function createChildPool(options: ChildPoolOptions): ChildPool {
  const { max, maxIdle } = options;
  const idle: Child[] = [];
  const busy = new Set<Child>();
  const waiting: Array<Deferred<Child>> = [];
  const living = createLiving(options.start);
  let starting = 0;
  let isClosed = false;

  const lend = (child: Child): Child => {
    busy.add(child);
    child.hold(true);
    return child;
  };

  const close = async (): Promise<void> => {
    isClosed = true;
    for (const turn of waiting.splice(0)) turn.reject(closedError(options));
    await living.kill();
  };

  async function startOne(): Promise<Child> {
    starting++;
    try {
      const child = await startReady({ ...options, start: living.start });
      if (isClosed) throw closedError(options);
      return lend(child);
    } catch (error) {
      if (isClosed) throw closedError(options);
      // Nobody gives back what never was: whoever waits must not wait for it.
      serveNext();
      throw error;
    } finally {
      starting--;
    }
  }

  /** Room has come free: whoever waits longest gets a new child. */
  function serveNext(): void {
    const next = waiting.shift();
    if (next) startOne().then(next.resolve, next.reject);
  }

  return {
    take() {
      if (isClosed) return Promise.reject(closedError(options));
      const warm = popLiving(idle);
      if (warm) return Promise.resolve(lend(warm));
      if (busy.size + starting < max) return startOne();
      const turn = createDeferred<Child>();
      waiting.push(turn);
      return turn.promise;
    },
    giveBack(child) {
      busy.delete(child);
      child.listener = undefined;
      if (isClosed) return;
      if (child.isGone) return serveNext();
      const next = waiting.shift();
      if (next) return next.resolve(lend(child));
      child.hold(false);
      if (idle.length < maxIdle) idle.push(child);
      else void child.kill();
    },
    close,
  };
}
