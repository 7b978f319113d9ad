import {
  DEFAULTS,
  RetryPolicy,
  type ExecutionEvent,
  type JobStatus,
  type RunnerExecutionRequest,
  type RunnerHeartbeat,
  type RunnerRegistrationRequest,
} from '@controlplane/contracts';
import { createDeferred } from '../../util/deferred.js';
import { createSeededRandom } from '../../util/seeded-random.js';
import { toMilliseconds, type Duration } from '../../util/duration.js';
import { createVirtualClock, type VirtualClock } from '../../util/virtual-clock.js';
import type { Host, HostedRunner, HostSession } from '../host.js';
import { cancelJob } from './attempt-endings.js';
import { keepBrought, type BroughtFiles } from '../../util/brought-files.js';
import { createFaultPlan, type Faults } from './faults.js';
import { createFaultyLink, type FaultyLink, type FrameRecord } from './faulty-link.js';
import { createKeptFiles } from './kept-files.js';
import { placeQueued } from './placement.js';
import type { InMemoryArtifact, Job, JobOutcome, Plane } from './plane.js';
import { createPlaneEnd } from './runner-frames.js';
import { createRunnerSession, type RunnerSession } from './runner-session.js';

/** What {@link inMemoryHost} is told; everything has a default. */
export interface InMemoryHostOptions {
  /** What goes wrong on the way. Default: nothing. */
  readonly faults?: Faults | undefined;
  /** Of everything that is left to chance: the same seed gives the same run. Default: 1. */
  readonly seed?: number | undefined;
  /** Default: one of its own. */
  readonly clock?: VirtualClock | undefined;
  /** Default: 10 s, as the contract says. */
  readonly heartbeatInterval?: Duration | undefined;
  /** How long an execution stays a runner's that is not heard of. Default: 20 s, as the contract says. */
  readonly lease?: Duration | undefined;
}

/** What a submission may say beside capability and input. */
export interface SubmitOptions {
  /** Limit of one attempt in milliseconds. Default: the capability's own. */
  readonly timeoutMs?: number | undefined;
  /**
   * Default: no retry, so that a test sees the first failure. `{}` is the contract's own: 3 retries, after about
   * 1 s, 2 s and 4 s.
   */
  readonly retryPolicy?: Partial<RetryPolicy> | undefined;
  readonly metadata?: RunnerExecutionRequest['metadata'] | undefined;
  /** Files for its executions, by name: what `ctx.files` reads. Default: none. */
  readonly files?: BroughtFiles | undefined;
  /** Default: `job-1`, `job-2`, … */
  readonly id?: string | undefined;
}

/** A job that was submitted to an in-memory host. */
export interface InMemoryJob {
  readonly id: string;
  readonly capabilityId: string;
  readonly state: JobStatus;
  /** Attempts that count: those that a runner accepted and did not hand back. */
  readonly attempts: number;
  /** Resolves when the job has ended. With a virtual clock, somebody must move it meanwhile. */
  outcome(): Promise<JobOutcome>;
  /** What runners have told of it so far, of all its attempts, in the order in which it was taken. */
  events(): readonly ExecutionEvent[];
  /** The files that its executions have left; of one name the last. */
  artifacts(): readonly InMemoryArtifact[];
  /** Ends it: at once where no runner has accepted it, else by telling the runner. */
  cancel(): void;
}

/** A runner as an in-memory host knows it. */
export interface InMemoryRunner {
  readonly runnerId: string;
  readonly instanceId: string;
  readonly registration: RunnerRegistrationRequest;
  readonly connected: boolean;
  readonly draining: boolean;
  /** Ids of the executions that it has been offered or runs. */
  readonly executions: readonly string[];
}

/** A host in the memory of a test. */
export interface InMemoryHost extends Host {
  readonly clock: VirtualClock;
  /** Puts a job in the queue: it waits there for a runner that offers the capability. */
  submit(
    capability: string | { readonly id: string },
    input: object,
    options?: SubmitOptions,
  ): Promise<InMemoryJob>;
  /** Every job, in the order of submission. */
  readonly jobs: readonly InMemoryJob[];
  /** Every runner that has registered and not left. */
  readonly runners: readonly InMemoryRunner[];
  /** The heartbeats that arrived, the last 1,000. */
  readonly heartbeats: readonly RunnerHeartbeat[];
  /** What was sent and how much of it arrived, the last 10,000 messages: what to print when a test fails. */
  readonly frames: readonly FrameRecord[];
  /** Replaces the faults from the next message on. */
  setFaults(faults: Faults): void;
  /** Cuts every link; what is on its way is lost, and runners are not reached until `reconnect`. */
  disconnect(): void;
  /** Joins every link again; the runners register at once. */
  reconnect(): void;
}

const MAX_HEARTBEATS = 1_000;
const MAX_FRAMES = 10_000;

function keepLast<Kept>(list: Kept[], kept: Kept, most: number): void {
  list.push(kept);
  if (list.length > most) list.splice(0, list.length - most);
}

function toHandle(plane: Plane, job: Job): InMemoryJob {
  return {
    id: job.id,
    capabilityId: job.capabilityId,
    get state() {
      return job.state;
    },
    get attempts() {
      return job.attempts;
    },
    outcome: () => job.outcome.promise,
    events: () => [...job.events],
    artifacts: () => [...job.artifacts.values()],
    cancel: () => cancelJob(plane, job),
  };
}

function toJob(id: string, capabilityId: string, told: SubmitOptions & { readonly input: object }): Job {
  return {
    id,
    capabilityId,
    input: JSON.parse(JSON.stringify(told.input)) as Job['input'],
    metadata: told.metadata ?? {},
    brought: keepBrought(told.files),
    timeoutMs: told.timeoutMs,
    retryPolicy: RetryPolicy.parse(told.retryPolicy ?? { maxRetries: 0 }),
    outcome: createDeferred<JobOutcome>(),
    events: [],
    artifacts: new Map(),
    state: 'queued',
    attempts: 0,
    offers: 0,
    checkpoint: undefined,
    isCancelled: false,
    current: undefined,
    retryTimer: undefined,
  };
}

function createPlane(options: InMemoryHostOptions, clock: VirtualClock, random: () => number): Plane {
  const plane: Plane = {
    clock,
    random,
    heartbeatIntervalMs: toMilliseconds(options.heartbeatInterval ?? DEFAULTS.heartbeatIntervalMs),
    leaseMs: toMilliseconds(options.lease ?? DEFAULTS.leaseMs),
    jobs: new Map(),
    attempts: new Map(),
    runners: new Map(),
    queue: [],
    place: () => placeQueued(plane),
  };
  return plane;
}

/** The links of a host, and the weather over them. */
function createLinks(plane: Plane, clock: VirtualClock, faults: Faults) {
  const links = new Set<FaultyLink>();
  const frames: FrameRecord[] = [];
  const heartbeats: RunnerHeartbeat[] = [];
  const counts = new Map<string, number>();
  let passage = createFaultPlan(faults, plane.random);
  let isUp = true;

  function attach(runner: HostedRunner): HostSession {
    const link = createFaultyLink({
      clock,
      passage: (frame) => passage(frame),
      nth(from, type) {
        const count = (counts.get(`${from} ${type}`) ?? 0) + 1;
        counts.set(`${from} ${type}`, count);
        return count;
      },
      record: (frame) => keepLast(frames, frame, MAX_FRAMES),
      onRunnerFrame(frame) {
        if (frame.type === 'heartbeat') keepLast(heartbeats, frame.heartbeat, MAX_HEARTBEATS);
        end.onFrame(frame);
      },
      onServerFrame: (frame) => session.onFrame(frame),
      onCut() {
        end.onCut();
        session.onCut();
      },
      onJoined: () => session.onJoined(),
    });
    const end = createPlaneEnd(plane, link.toRunner);
    const session: RunnerSession = createRunnerSession({
      runner,
      random: plane.random,
      send: link.toHost,
      isUp: () => link.isUp,
      files: createKeptFiles({ plane, isUp: () => link.isUp }),
      open() {
        links.add(link);
        if (isUp) link.join();
      },
    });
    return session;
  }
  return {
    attach,
    frames,
    heartbeats,
    setFaults(next: Faults) {
      passage = createFaultPlan(next, plane.random);
    },
    disconnect() {
      isUp = false;
      for (const link of links) link.cut();
    },
    reconnect() {
      isUp = true;
      for (const link of links) link.join();
    },
  };
}

/**
 * Makes a control plane that lives in the test: it offers jobs, confirms what is accepted, holds leases, retries and
 * decides about lost runners as the contract says, over a link that may lose, double, delay and reorder messages. Its
 * clock stands still until the test moves it, and the runners that it is given to live by that clock too.
 *
 * Where `faults` delay messages, or lose some that must be said again, time must be moved for anything to arrive.
 * @param options - faults, seed and clock
 * @throws RangeError for faults that make no sense
 *
 * @example
 * const host = inMemoryHost({ faults: { dropEvery: 3 }, seed: 7 });
 * await createRunner({ name: 'images', capabilities: [resize], hosts: [host] }).start();
 * const job = await host.submit(resize, { url, width: 100 });
 * await host.clock.advance('31s');
 * expect(await job.outcome()).toMatchObject({ state: 'completed' });
 */
export function inMemoryHost(options: InMemoryHostOptions = {}): InMemoryHost {
  const clock = options.clock ?? createVirtualClock();
  const plane = createPlane(options, clock, createSeededRandom(options.seed ?? 1));
  const links = createLinks(plane, clock, options.faults ?? {});
  return {
    name: 'in-memory',
    listens: false,
    clock,
    attach: links.attach,
    async submit(capability, input, told = {}) {
      const capabilityId = typeof capability === 'string' ? capability : capability.id;
      const id = told.id ?? `job-${plane.jobs.size + 1}`;
      if (plane.jobs.has(id))
        throw new RangeError(`there is a job "${id}" already; give this one another id`);
      const job = toJob(id, capabilityId, { ...told, input });
      plane.jobs.set(id, job);
      plane.queue.push(job);
      plane.place();
      // What needs no time has happened when it returns.
      await clock.settle();
      return toHandle(plane, job);
    },
    get jobs() {
      return [...plane.jobs.values()].map((job) => toHandle(plane, job));
    },
    get runners() {
      return [...plane.runners.values()].map((runner) => ({
        runnerId: runner.runnerId,
        instanceId: runner.instanceId,
        registration: runner.registration,
        connected: runner.isConnected,
        draining: runner.isDraining,
        executions: [...runner.attempts].map(({ executionId }) => executionId),
      }));
    },
    heartbeats: links.heartbeats,
    frames: links.frames,
    setFaults: links.setFaults,
    disconnect: links.disconnect,
    reconnect: links.reconnect,
  };
}
