import {
  CONTRACT_VERSION_CURRENT,
  isFinalStatus,
  type JobBatchEntry,
  type JobEvent,
  type JobResponse,
  type JobSubmission,
  type JobWhy,
  type RunnerMetadata,
} from '@controlplane/contracts';
import { JobForgeError } from '../model/job-forge-error.js';
import { gauge } from '../model/metric-family.js';
import type { RetryOperations } from '../model/retry-operations.js';
import { webhooksInMemory } from './webhooks-in-memory.fixture.js';
import { retriesInMemory } from './retries-in-memory.fixture.js';
import type { RunnerControlOperations } from '../model/runner-operations.js';
import { accessInMemory } from './access-in-memory.fixture.js';
import { runnerControlsInMemory } from './runner-controls-in-memory.fixture.js';
import { noArtifacts } from './no-artifacts.fixture.js';
import type { JobEventsOptions, Operations, Submitted } from '../model/operations.js';

/** Operations over plain maps for the tests of api/ and cli/, with a hand on what happens to a job. */
export interface InMemoryOperations extends Operations {
  /** Adds an event to a job, and settles the job where the event ends it. */
  happen(jobId: string, type: JobEvent['type'], data?: Record<string, unknown>): void;
  addRunner(runner: Partial<RunnerMetadata> & { id: string; name: string }): RunnerMetadata;
  /** Event streams that are open now. */
  openStreams(): number;
  /** Resolves once something has changed. */
  changed(): Promise<void>;
}

async function noExecution(): Promise<never> {
  throw new JobForgeError('EXECUTION_NOT_FOUND');
}

/** In-memory operations. What `overrides` names replaces their own. */
export function createInMemoryOperations(overrides: Partial<Operations> = {}): InMemoryOperations {
  const changes = createChanges();
  return {
    ...jobOperations(changes),
    ...runnerOperations(changes),
    ...webhooksInMemory(),
    ...accessInMemory(),
    changed: () => changes.next(),
    metrics: () => [gauge('jobforge_queue_depth', 'Jobs that wait.', [[{ capability: 'echo' }, 2]])],
    health: async () => ({
      service: 'jobforge',
      status: 'healthy',
      timestamp: at(),
      version: '0.0.0',
      uptime: 1,
      checks: [],
    }),
    readiness: () => ({ ok: true, reasons: [] }),
    ...noArtifacts,
    listSecrets: async () => [],
    setSecret: async (name) => ({ name, createdAt: at(), updatedAt: at() }),
    deleteSecret: async () => {
      throw new JobForgeError('SECRET_NOT_FOUND');
    },
    queryTruth: async () => ({ assertions: [] }),
    listAudit: async () => ({ entries: [] }),
    verifyChains: async () => [],
    ...overrides,
  };
}

interface Changes {
  announce(): void;
  next(signal?: AbortSignal): Promise<void>;
}

function createChanges(): Changes {
  const waiting = new Set<() => void>();
  return {
    announce() {
      const woken = [...waiting];
      waiting.clear();
      for (const wake of woken) wake();
    },
    next: (signal) =>
      new Promise((resolve) => {
        waiting.add(resolve);
        signal?.addEventListener('abort', () => resolve(), { once: true });
      }),
  };
}

const at = (): string => new Date().toISOString();

const ENDED: Partial<Record<JobEvent['type'], JobResponse['status']>> = {
  'job.started': 'running',
  'job.completed': 'completed',
  'job.failed': 'failed',
  'job.cancelled': 'cancelled',
  'job.expired': 'failed',
};

type JobPart = Pick<
  InMemoryOperations,
  | keyof RetryOperations
  | 'happen'
  | 'openStreams'
  | 'submitJob'
  | 'submitJobs'
  | 'showJob'
  | 'whyJob'
  | 'listJobs'
  | 'cancelJob'
  | 'jobEvents'
>;

interface JobRecord {
  job: JobResponse;
  readonly events: JobEvent[];
}

const entryOf = ({ job: { id, status } }: Submitted): JobBatchEntry => ({ id, status });

function jobOperations(changes: Changes): JobPart {
  const records = new Map<string, JobRecord>();
  let streams = 0;
  const found = (id: string): JobRecord => {
    const record = records.get(id);
    if (!record) throw new JobForgeError('JOB_NOT_FOUND', { message: `There is no job ${id}.` });
    return record;
  };
  const happen: JobPart['happen'] = (jobId, type, data) => {
    const record = found(jobId);
    record.events.push(eventOf({ id: `1.${record.events.length}`, type, jobId, data }));
    record.job = jobAfter(record.job, type, data);
    changes.announce();
  };
  const submitJob = async (submission: JobSubmission): Promise<Submitted> => {
    const { id = `job-${records.size + 1}` } = submission;
    const known = records.get(id)?.job;
    if (known && JSON.stringify(known.request.payload) !== JSON.stringify(submission.payload))
      throw new JobForgeError('JOB_CONFLICT');
    if (known) return { job: known, created: false };
    const request = { ...submission, id };
    records.set(id, { job: { id, status: 'queued', request, updatedAt: at(), attempts: 0 }, events: [] });
    happen(id, 'job.created');
    return { job: found(id).job, created: true };
  };
  const jobEvents: JobPart['jobEvents'] = async function* (id, options) {
    const record = found(id);
    streams++;
    try {
      yield* happenings(record, changes, options);
    } finally {
      streams--;
      changes.announce();
    }
  };
  return {
    happen,
    openStreams: () => streams,
    submitJob,
    submitJobs: (submissions) => Promise.all(submissions.map((one) => submitJob(one).then(entryOf))),
    showJob: async (id) => found(id).job,
    whyJob: async (id) => whyNextInLine(found(id).job),
    listJobs: async ({ status, limit }) => {
      const jobs = [...records.values()].map(({ job }) => job).reverse();
      return { items: jobs.filter((job) => !status || job.status === status).slice(0, limit) };
    },
    cancelJob: async (id) => {
      if (isFinalStatus(found(id).job.status)) throw new JobForgeError('JOB_FINISHED');
      happen(id, 'job.cancelled', { reason: 'user' });
      return found(id).job;
    },
    jobEvents,
    ...retriesInMemory({
      all: () => [...records.values()].map(({ job }) => job).reverse(),
      found: (id) => found(id).job,
      put: (job) => void (found(job.id).job = job),
    }),
  };
}

const whyNextInLine = ({ id, status }: JobResponse): JobWhy => ({
  ...{ id, status, reason: 'it is next in line', waitingMs: 12_000, needs: ['labels region=eu'] },
  runners: [
    { id: 'r1', name: 'my-runner', fails: 'labels', reason: 'labels.region is "us"', slots: 3, freeSlots: 2 },
    { id: 'r2', name: 'images', fails: 'availability', reason: 'is draining', slots: 3, freeSlots: 3 },
  ],
  wouldRunIf: ['a runner with labels region=eu registered', 'with --label region=us'],
});

async function* happenings(
  record: JobRecord,
  changes: Changes,
  { afterId, follow = true, signal }: JobEventsOptions = {},
): AsyncGenerator<JobEvent> {
  let next = record.events.findIndex((event) => event.id === afterId) + 1;
  while (!signal?.aborted) {
    const event = record.events[next];
    if (event) {
      next++;
      yield event;
    } else if (!follow || isFinalStatus(record.job.status)) return;
    else await changes.next(signal);
  }
}

function eventOf({
  data,
  ...event
}: Pick<JobEvent, 'id' | 'type' | 'jobId'> & { data: Record<string, unknown> | undefined }): JobEvent {
  return {
    ...event,
    timestamp: at(),
    metadata: { service: 'jobforge', version: '0.0.0' },
    ...(data ? { data } : {}),
  };
}

function jobAfter(
  job: JobResponse,
  type: JobEvent['type'],
  data: Record<string, unknown> | undefined,
): JobResponse {
  const status = ENDED[type] ?? job.status;
  const runnerId = typeof data?.['runnerId'] === 'string' ? data['runnerId'] : job.runnerId;
  const next: JobResponse = { ...job, status, updatedAt: at(), ...(runnerId ? { runnerId } : {}) };
  const metadata = { startedAt: at(), completedAt: at(), durationMs: 14, attempts: 1 };
  if (status === 'completed') return { ...next, result: { success: true, data: data?.['result'], metadata } };
  if (status !== 'failed') return next;
  const { envelope } = new JobForgeError(type === 'job.expired' ? 'JOB_EXPIRED' : 'EXECUTION_FAILED', {
    message: 'it broke',
  });
  return { ...next, error: envelope, result: { success: false, error: envelope, metadata } };
}

type RunnerPart = Pick<
  InMemoryOperations,
  | 'addRunner'
  | 'registerRunner'
  | 'heartbeat'
  | 'deregisterRunner'
  | 'connectRunner'
  | 'pollRunner'
  | 'acceptExecution'
  | 'recordEvents'
  | 'listRunners'
  | 'showRunner'
  | keyof RunnerControlOperations
>;

function runnerOperations(changes: Changes): RunnerPart {
  const runners = new Map<string, RunnerMetadata>();
  const found = (id: string): RunnerMetadata => {
    const runner = runners.get(id);
    if (!runner) throw new JobForgeError('RUNNER_NOT_FOUND');
    return runner;
  };
  const addRunner: RunnerPart['addRunner'] = (added) => {
    const runner: RunnerMetadata = {
      version: '1.0.0',
      contractVersion: CONTRACT_VERSION_CURRENT,
      capabilities: [],
      supportedContracts: ['1.0.0'],
      healthCheckEndpoint: 'http://127.0.0.1:1/health',
      registeredAt: at(),
      lastHeartbeatAt: at(),
      status: 'healthy',
      tags: [],
      ...added,
    };
    runners.set(runner.id, runner);
    changes.announce();
    return runner;
  };
  return {
    addRunner,
    registerRunner: async (request) => {
      const { id, registeredAt } = addRunner({ ...request, id: request.name });
      return { runnerId: id, registeredAt, heartbeatIntervalMs: 10_000 };
    },
    heartbeat: async ({ runnerId }) => {
      const known = runners.has(runnerId);
      return { known, receiving: known, directives: [] };
    },
    deregisterRunner: async (id) => ({ runnerId: found(id).id, deregistered: runners.delete(id) }),
    connectRunner: () => ({
      onFrame: () => undefined,
      onPong: () => undefined,
      onDrain: () => undefined,
      onClose: () => undefined,
    }),
    pollRunner: async (id) =>
      found(id) && { body: '{"frames":[]}', last: false, undelivered: () => undefined },
    acceptExecution: noExecution,
    recordEvents: noExecution,
    listRunners: async () => [...runners.values()],
    showRunner: async (id) => found(id),
    ...runnerControlsInMemory({ found, add: addRunner, remove: (id) => void runners.delete(id) }),
  };
}
