import { isFinalStatus, JobSubmission, type ExecutionEvent, type JobResponse } from '@controlplane/contracts';
import { DEFAULT_LIMITS } from '../model/limits.js';
import { createEngine, type Engine } from '../scheduler/engine.js';
import type { Store } from '../store/store.js';
import { countedStore, type CountedStore } from './counted-store.fixture.js';
import { createManualClock, type ManualClock } from './manual-clock.js';
import type { HeldExecution, ModelRunnerListener } from './model-holdings.js';
import { createModelRunner, type ModelRunner } from './model-runner.js';

/** What a history did to one job. */
export interface HistoryJob {
  readonly id: string;
  readonly capability: string;
  /** JobForge said that it has it. */
  acknowledged: boolean;
  /** Executions whose handler may have written. */
  readonly wrote: Set<string>;
  /** Executions whose handler was started, in order. */
  readonly began: string[];
  /** The end that was acknowledged to a runner, last. */
  end: { readonly executionId: string; readonly event: ExecutionEvent } | undefined;
}

/** A JobForge that can be killed, two runners and a time that is moved by hand. */
export interface HistoryWorld {
  readonly clock: ManualClock;
  readonly jobs: Map<string, HistoryJob>;
  readonly runners: readonly ModelRunner[];
  /** What JobForge logged as an error. */
  readonly errors: readonly string[];
  /** How often the end of a job was committed, by its seq. */
  readonly finishes: ReadonlyMap<number, number>;
  submit(capability: string): void;
  /** The same id and the same body once more. */
  resubmit(id: string): void;
  cancel(id: string): void;
  /** kill -9, and started anew over the same store. */
  restart(): Promise<void>;
  /** Moves the time second by second, lets runners beat and read. */
  advance(ms: number): Promise<void>;
  /** Lets what has arrived be acted on, on either side, once. */
  turn(): Promise<void>;
  /** Waits until everything that was said is written and answered. */
  settle(): Promise<void>;
  engine(): Engine;
  close(): Promise<void>;
}

const BEAT_MS = DEFAULT_LIMITS.heartbeatIntervalMs;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
/** A turn, and all that the store was asked in it. */
const turned = async ({ asked }: CountedStore): Promise<void> => {
  do await turn();
  while (asked() > 0);
};

interface Life {
  readonly engine: Engine;
  kill(): void;
}

interface LifeOptions {
  readonly counted: CountedStore;
  readonly clock: ManualClock;
  readonly random: () => number;
  readonly errors: string[];
  readonly finishes: Map<number, number>;
}

/** A life over a store that outlives it: after `kill` nothing of it is written any more. */
async function startLife({ counted, clock, random, errors, finishes }: LifeOptions): Promise<Life> {
  const { store } = counted;
  let dead = false;
  const mortal: Store = {
    ...store,
    async commit(batch) {
      if (dead) return batch.map(() => 'done' as const);
      const outcomes = await store.commit(batch);
      for (const operation of batch)
        if (operation.kind === 'finish-job')
          finishes.set(operation.seq, (finishes.get(operation.seq) ?? 0) + 1);
      return outcomes;
    },
    close: () => Promise.resolve(),
  };
  const engine = createEngine({
    ...{ store: mortal, clock, random, limits: DEFAULT_LIMITS, stopwatch: () => 0 },
    log: (severity, message, fields) =>
      void (severity === 'error' && !dead && errors.push(`${message} ${JSON.stringify(fields)}`)),
  });
  await engine.start();
  return { engine, kill: () => void (dead = true) };
}

/** What runners do, written down by job. */
function createWitness(jobs: ReadonlyMap<string, HistoryJob>): ModelRunnerListener {
  return {
    began: ({ jobId, executionId }: HeldExecution) => void jobs.get(jobId)?.began.push(executionId),
    wrote: ({ jobId, executionId }) => void jobs.get(jobId)?.wrote.add(executionId),
    acknowledged({ jobId, executionId }, event) {
      const job = jobs.get(jobId);
      if (job !== undefined) job.end = { executionId, event };
    },
  };
}

function submissionOf({ id, capability }: HistoryJob): JobSubmission {
  return JobSubmission.parse({
    ...{ id, type: 'x', payload: { type: capability, data: {} }, timeoutMs: 60_000 },
    retryPolicy: { maxRetries: 2, initialBackoffMs: 1_000, maxBackoffMs: 2_000 },
  });
}

function newJob(id: string, capability: string): HistoryJob {
  return { id, capability, acknowledged: false, wrote: new Set(), began: [], end: undefined };
}

/** Submits a job and writes down where JobForge says that it has it. */
function hand(engine: Engine, job: HistoryJob): void {
  engine.operations.submitJob(submissionOf(job)).then(
    () => (job.acknowledged = true),
    () => undefined,
  );
}

/** Moves the time second by second; runners read, and beat when it is time. */
async function pass(
  { clock, counted }: Pick<LifeOptions, 'clock' | 'counted'>,
  runners: readonly ModelRunner[],
  ms: number,
): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    const before = Math.floor(clock.now() / BEAT_MS);
    clock.advance(Math.min(left, 1_000));
    const beats = Math.floor(clock.now() / BEAT_MS) > before;
    for (const runner of runners) {
      runner.read();
      if (beats) runner.beat(clock.now());
    }
    await turned(counted);
  }
}

/** Makes the world of one history, over a store in which nothing is left of another. */
export async function createHistoryWorld(store: Store, random: () => number): Promise<HistoryWorld> {
  const clock = createManualClock();
  const jobs = new Map<string, HistoryJob>();
  const [errors, finishes] = [[] as string[], new Map<number, number>()];
  const options: LifeOptions = { counted: countedStore(store), clock, random, errors, finishes };
  const witness = createWitness(jobs);
  const runners = ['a', 'b'].map((name) => createModelRunner(name, witness));
  let life = await startLife(options);
  const world: HistoryWorld = {
    ...{ clock, jobs, runners, errors, finishes, engine: () => life.engine },
    submit(capability) {
      const job = newJob(`j${jobs.size}`, capability);
      jobs.set(job.id, job);
      hand(life.engine, job);
    },
    resubmit(id) {
      const job = jobs.get(id);
      if (job !== undefined) hand(life.engine, job);
    },
    cancel: (id) => void life.engine.operations.cancelJob(id).catch(() => undefined),
    async restart() {
      life.kill();
      for (const runner of runners) runner.cut(false);
      await life.engine.stop();
      life = await startLife(options);
    },
    advance: (ms) => pass(options, runners, ms),
    async turn() {
      for (const runner of runners) runner.read();
      await turned(options.counted);
    },
    async settle() {
      for (let quiet = 0; quiet < 3; quiet += 1) await world.turn();
    },
    async close() {
      for (const runner of runners) runner.cut(false);
      await life.engine.stop();
    },
  };
  return world;
}

/** Whether a job has ended, as clients are shown it. */
export function hasEnded({ status }: JobResponse): boolean {
  return isFinalStatus(status);
}
