import type { HealthCheck, Probe } from '@controlplane/contracts';
import { createAccess, OPEN_ACCESS, type Access } from '../access/access.js';
import { createLinkRegistry, type LinkRegistry } from '../links/link-registry.js';
import type { Gate } from '../model/caller.js';
import type { Operations } from '../model/operations.js';
import { JOBFORGE_VERSION } from '../model/version.js';
import { checkOwner, createAccessControls, type AccessControlParts } from './access-controls.js';
import { createAccessWatch, type AccessWatch } from './access-watch.js';
import { createReplica, type Replica } from '../replicas/replica.js';
import type { KeptRecords } from '../replicas/replica-desk.js';
import { createAttemptEndings } from './attempt-endings.js';
import { auditedOperations } from './audited-operations.js';
import { cancelJob, type CancellationParts } from './cancellation.js';
import { createDispatcher } from './dispatcher.js';
import { engineMetrics } from './engine-metrics.js';
import { createState, type EngineOptions } from './engine-state.js';
import { stopEngine } from './engine-stop.js';
import { executionOperations } from './execution-operations.js';
import { createExecutionReports } from './execution-reports.js';
import { createExplanations, type Explanations } from './explanations.js';
import { jobEvents } from './job-events.js';
import { createFileDesk, type FileDesk } from './file-desk.js';
import { createJobIntake } from './job-intake.js';
import { createJobQueries, type JobQueries } from './job-queries.js';
import { createJobRetries } from './job-retries.js';
import { createLeaseSweeper } from './lease-sweeper.js';
import type { LiveState } from './live-state.js';
import { RATE_LIMITS } from './rate-limits.js';
import { recordAccess } from './record-access.js';
import { recover } from './recovery.js';
import { pollRunner, type PollParts } from './runner-polls.js';
import { createRunnerControls } from './runner-controls.js';
import { createRunnerRegistry } from './runner-registry.js';
import { openSession, type SessionParts } from './runner-sessions.js';
import { createScheduler } from './scheduler.js';
import { secretOperations } from './secret-operations.js';
import { createSubmissions, type Submissions } from './submissions.js';
import { showPayloads } from './shown-payload.js';
import { trailOperations } from './trail-operations.js';
import { startVerificationRounds } from './verification-rounds.js';

/** Everything between the API and the store: the operations, and when they begin and end. */
export interface Engine {
  readonly operations: Operations;
  /** Says who asks. */
  readonly gate: Gate;
  /** Puts back what had not ended and begins to place it. */
  start(): Promise<void>;
  /** Forgets uploads that nobody named and, where some went, the files of jobs that are no longer there. */
  sweepFiles(someWent: boolean): Promise<number>;
  /** Executions that have not ended. */
  running(): number;
  /** Takes nothing new, and resolves once nothing runs or the time is over. */
  drain(drainMs: number): Promise<void>;
  /** Lets go of runners and listeners and stores what is left. */
  stop(): Promise<void>;
}

/** When runners that dial in are to come again after JobForge was stopped. */
const RECONNECT_MS = 1_000;

/** Many calls in one turn of the event loop run it once. */
function oncePerTurn(run: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    queueMicrotask(() => {
      asked = false;
      run();
    });
  };
}

/** Why the store cannot be used; also where nothing is to be written, of several JobForges over one. */
const failureOf = ({ state, replicaFailure }: Parts): Error | undefined =>
  state.commit.failure() ?? replicaFailure();

function healthOf(parts: Parts): HealthCheck {
  const { state, startedAt } = parts;
  const failure = failureOf(parts);
  const status = failure === undefined ? 'healthy' : 'unhealthy';
  const check = { name: 'store', status, responseTimeMs: 0 } as const;
  const now = state.clock.now();
  return {
    service: 'jobforge',
    status,
    version: JOBFORGE_VERSION,
    uptime: (now - startedAt) / 1000,
    timestamp: new Date(now).toISOString(),
    checks: [failure === undefined ? check : { ...check, message: failure.message }],
  };
}

function readinessOf(parts: Parts): Probe {
  const reasons = parts.state.stopping ? ['JobForge is shutting down.'] : [];
  if (failureOf(parts) !== undefined) reasons.push('The store cannot be written.');
  return { ok: reasons.length === 0, reasons };
}

/** Resolves when nothing runs any more, or after `drainMs`. */
function idle(state: LiveState, drainMs: number): Promise<void> {
  return new Promise((resolve) => {
    const deadline = state.clock.now() + drainMs;
    const look = (): void => {
      if (state.executions.size === 0 || state.clock.now() >= deadline) return resolve();
      state.clock.after(Math.min(20, drainMs), look);
    };
    look();
  });
}

/** What is kept in memory and another JobForge on the same store may change. */
function keptRecords(
  { secrets, webhooks }: LiveState,
  { access, watch }: { readonly access: Access; readonly watch: AccessWatch },
): KeptRecords {
  return {
    async reload() {
      await Promise.all([secrets.reload(), access.reload(), webhooks.reloadRegistered()]);
      watch.look();
    },
    takeUpDeliveries: webhooks.takeUp,
  };
}

/** What the operations are made of. */
interface Parts extends SessionParts, PollParts, CancellationParts, AccessControlParts {
  readonly files: FileDesk;
  readonly submissions: Submissions;
  readonly queries: JobQueries;
  readonly explanations: Explanations;
  readonly startedAt: number;
  /** Of this JobForge as one of several. */
  readonly replicaFailure: () => Error | undefined;
}

function operationsOf(parts: Parts): Operations {
  const operations = plainOperations(parts);
  return { ...operations, ...auditedOperations(operations, parts.state.audit) };
}

function plainOperations(parts: Parts): Operations {
  const { state, registry, submissions, queries, explanations } = parts;
  return {
    submitJob: submissions.submitJob,
    submitJobs: submissions.submitJobs,
    async showJob(id, { plain = false } = {}) {
      const view = await queries.showJob(id, { plain });
      return plain ? view : showPayloads({ state, carried: parts.files.rooms.carried }, view);
    },
    listJobs: queries.listJobs,
    whyJob: explanations.why,
    cancelJob: (id, reason = 'user') => cancelJob(parts, id, reason),
    jobEvents: (id, eventOptions) => jobEvents(state, id, eventOptions),
    registerRunner: (request, caller) => registry.register(request, { caller }),
    heartbeat: async (beat, caller) => registry.heartbeat(beat, caller),
    deregisterRunner: registry.deregister,
    connectRunner: (connection, caller) => openSession(parts, connection, caller),
    pollRunner: (id, request) => pollRunner(parts, id, request),
    ...executionOperations(parts.reports),
    ...trailOperations(state),
    ...secretOperations(state.secrets),
    ...parts.files.artifacts.operations,
    ...parts.files.jobFiles.operations,
    listRunners: async () => registry.list(),
    showRunner: async (id) => registry.show(id),
    metrics: () => engineMetrics(state, registry),
    ...createRunnerControls(parts),
    ...createJobRetries(parts),
    ...state.webhooks.operations,
    ...createAccessControls(parts),
    checkOwner: (caller, target) => checkOwner(parts, caller, target),
    health: async () => healthOf(parts),
    readiness: () => readinessOf(parts),
  };
}

async function drain(state: LiveState, links: LinkRegistry, drainMs: number): Promise<void> {
  state.stopping = true;
  await idle(state, drainMs);
  // What came last is acknowledged before its runner is told to go.
  await state.commit.drain().catch(() => undefined);
  state.dismissed = true;
  links.dismissAll(RECONNECT_MS);
}

export function createEngine(options: EngineOptions): Engine {
  const { clock, limits, store } = options;
  const startedAt = clock.now();
  const state = createState(options);
  const links = createLinkRegistry({ clock, limits });
  const endings = createAttemptEndings(state);
  const dispatcher = createDispatcher(state, endings);
  const records = recordAccess(state.store, state.commit);
  const isShared = store.shared !== undefined;
  const access = createAccess({ records, clock, settings: options.access ?? OPEN_ACCESS, isShared });
  const { admission } = access;
  const registry = createRunnerRegistry({ state, links, endings, dispatcher, admission });
  const watch = createAccessWatch({ state, registry, links, endings });
  const scheduler = createScheduler({ state, registry, dispatcher });
  const explanations = createExplanations({ state, registry });
  const intake = createJobIntake({ state, scheduler, dispatcher, endings, explanations });
  const reports = createExecutionReports({ state, dispatcher, endings });
  const files = createFileDesk({ state, records, reports, files: state.files });
  const { submissionFiles } = files;
  const submissions = createSubmissions({ state, registry, intake, explanations, files: submissionFiles });
  const sweeper = createLeaseSweeper({ state, registry, dispatcher, endings });
  const queries = createJobQueries(state, explanations);
  const recovery = { state, registry, dispatcher, endings, intake };
  state.commit.onFlush(links.flushAll);

  const own = operationsOf({
    ...{ state, registry, dispatcher, endings, reports, links },
    ...{ files, submissions, queries, explanations, startedAt, access, watch },
    replicaFailure: () => replica?.failure(),
  });

  const { shared } = store;
  const keptHere = keptRecords(state, { access, watch });
  const forReplica = { recovery, links, files, operations: own, records: keptHere };
  const replica: Replica | undefined = shared && createReplica({ shared, ...forReplica });
  state.look = oncePerTurn(() => {
    scheduler.run();
    replica?.look();
  });
  state.wake = (runner) => {
    state.ready.release(runner);
    state.look();
  };

  return {
    operations: replica?.operations ?? own,
    gate: access,
    async start() {
      state.rates.restore(await store.loadRecords(RATE_LIMITS));
      await state.secrets.reload();
      await state.webhooks.reload();
      await access.start();
      await (replica === undefined ? recover(recovery) : replica.start());
      sweeper.start();
      watch.start();
      startVerificationRounds({ state, registry, links });
    },
    sweepFiles: files.sweep,
    running: () => state.executions.size,
    drain: (drainMs) => drain(state, links, drainMs),
    stop: () => stopEngine({ state, links, sweeper, watch, replica, files: files.rooms, store }),
  };
}
