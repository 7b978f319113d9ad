import { DEFAULTS, envelopeOf, type JobMetadata, type JobWebhook } from '@controlplane/contracts';
import { executionMetadata } from '../model/job-record.js';
import { termsOf, type Wanted } from '../model/demand.js';
import { rankOf } from '../model/job-order.js';
import { leaseFromText, type Lease } from '../model/lease.js';
import { moveJob } from '../model/job-state.js';
import type { StoredJob } from '../store/store.js';
import { cancellation, type AttemptEndings } from './attempt-endings.js';
import type { Dispatcher } from './dispatcher.js';
import { carriedText, type CarriedFiles } from './carried-files.js';
import { canReattach } from './execution-news.js';
import type { JobIntake } from './job-intake.js';
import { STEP_BYTES } from './kept-events.js';
import { toLogRow } from './kept-log.js';
import { newLiveJob, type LiveJob } from './live-job.js';
import { holdInput, type LiveState } from './live-state.js';
import { notificationsOf } from './kept-notifications.js';
import { createLogRecord } from './log-record.js';
import { isSameInstance, type RunnerRecord } from './runner-entry.js';
import { restoreMarks } from './runner-marks.js';
import type { RunnerRegistry } from './runner-registry.js';
import { createExecution } from './scheduler.js';

export interface RecoveryParts {
  readonly state: LiveState;
  readonly registry: RunnerRegistry;
  readonly dispatcher: Dispatcher;
  readonly endings: AttemptEndings;
  readonly intake: JobIntake;
}

/** What was found. */
export interface Recovered {
  readonly jobs: number;
  readonly runners: number;
}

const PAGE = 1_000;

/** The members of a stored head that a live job is made of. It was checked before it was written. */
interface HeadText extends Pick<Wanted, 'placement' | 'concurrency'>, CarriedFiles {
  priority: number;
  payload: CarriedFiles['payload'] & { type: string };
  metadata: JobMetadata;
  timeoutMs?: number;
  webhook?: JobWebhook;
}

/** A job as the store has it, not in motion yet. */
export function toLiveJob(state: LiveState, stored: StoredJob): LiveJob {
  const head = JSON.parse(stored.head) as HeadText;
  const { metadata } = head;
  const scheduledAt = metadata.scheduledAt === undefined ? 0 : Date.parse(metadata.scheduledAt);
  const since = Math.max(stored.createdAt, scheduledAt);
  const job = newLiveJob({
    id: stored.id,
    type: stored.type,
    capability: head.payload.type,
    terms: termsOf({ ...head, type: stored.type }),
    rank: rankOf({ priority: head.priority, since }, state.limits.priorityAgingMs),
    createdAt: stored.createdAt,
    // What was tried once, or put back into the queue, does not expire any more.
    expiresAt:
      metadata.expiresAt === undefined || stored.error !== undefined
        ? undefined
        : Date.parse(metadata.expiresAt),
    timeoutMs: head.timeoutMs,
    webhook: head.webhook,
    executionMetadata: executionMetadata(metadata),
    carried: carriedText(head),
    nextAt: stored.nextAt ?? scheduledAt,
  });
  const { seq, attempt, retries, error } = stored;
  const superseded = stored.cancel === 'superseded';
  Object.assign(job, {
    seq,
    attempt,
    retries,
    error,
    superseded,
    cancel: superseded ? 'user' : stored.cancel,
  });
  holdInput(state, job, stored.input);
  return job;
}

/** Reads how far the events of a job have come. */
export async function restoreEvents(state: LiveState, job: LiveJob, attempt: number): Promise<number> {
  const { attempts, events } = await state.store.loadHistory(job.seq);
  const rows = events.filter(({ type }) => type === 'log').map(toLogRow);
  if (rows.length > 0) job.log = createLogRecord(state.limits.maxLogBytes, rows);
  job.notifications = notificationsOf(events);
  for (const event of events)
    if (event.type === 'progress') job.progressBytes += event.data.length + STEP_BYTES;
  job.checkpointed = (await state.store.loadCheckpoint(job.seq)) !== undefined;
  const last = attempts.at(-1);
  if (last !== undefined) job.lastEventSeq = last.eventSeq;
  const seen = events.findLast((event) => event.attempt === attempt);
  return seen?.eventSeq ?? -1;
}

/** Takes up an execution again, or decides what its loss means. */
async function recoverLease(parts: RecoveryParts, job: LiveJob, text: string): Promise<void> {
  const { state, registry, endings, dispatcher } = parts;
  const lease = leaseFromText(text);
  const seenSeq = await restoreEvents(state, job, job.attempt + 1);
  const runner = registry.get(lease.runnerId);
  if (runner === undefined) return recoverWithoutRunner(parts, job, { lease, seenSeq });
  const capability = runner.registration.capabilities.find(({ id }) => id === lease.capabilityId);
  const timeoutMs = job.timeoutMs ?? capability?.timeoutMs ?? DEFAULTS.executionTimeoutMs;
  // Whether it had announced to write is not known any more: the worse is assumed.
  const from = { lease, timeoutMs, recovered: true, announces: false };
  const execution = createExecution(state, { job, runner }, from);
  state.executions.set(lease.executionId, execution);
  moveJob(job, 'leased');
  execution.seenSeq = seenSeq;
  if (!isSameInstance(runner, lease.instanceId) || !canReattach(execution)) {
    return endings.lost(execution, 'JobForge was restarted and cannot take up the execution again.');
  }
  execution.brokenSince = state.clock.now();
  execution.leaseUntil = execution.brokenSince + state.limits.leaseMs;
  // A runner that dials in comes back by itself, and says what it has: until then nothing can be asked.
  if (runner.link.confirmsAccepts) execution.leaseUntil += state.limits.reconnectMs;
  else dispatcher.reattach(execution);
  if (job.cancel !== undefined) dispatcher.cancel(execution, job.cancel);
}

function recoverWithoutRunner(
  { state, endings }: RecoveryParts,
  job: LiveJob,
  { lease, seenSeq }: { readonly lease: Lease; readonly seenSeq: number },
): void {
  // An attempt that said something had begun: what comes next stands after it.
  if (seenSeq >= 0) [job.attempt, job.lastEventSeq] = [job.attempt + 1, seenSeq];
  moveJob(job, 'queued');
  if (job.cancel !== undefined)
    return endings.endWaiting(job, { status: 'cancelled', error: cancellation(job, job.cancel) });
  if (!lease.writes) return state.ready.push(job);
  const message = 'JobForge was restarted, and the runner of the execution has left.';
  endings.endWaiting(job, {
    status: 'failed',
    error: envelopeOf('RUNNER_LOST', { service: 'jobforge', message }),
  });
}

/** Takes a stored job up that has not ended: it waits, or its execution is looked for. */
export async function recoverJob(parts: RecoveryParts, stored: StoredJob): Promise<void> {
  const { state, endings, intake } = parts;
  const job = toLiveJob(state, stored);
  state.jobs.set(job.id, job);
  const isKept = stored.lease !== undefined || stored.attempt > 0;
  if (isKept) state.concurrency.join(job);
  if (stored.lease !== undefined) return recoverLease(parts, job, stored.lease);
  if (stored.attempt > 0 || stored.error !== undefined) await restoreEvents(state, job, stored.attempt);
  const waits = job.nextAt > state.clock.now();
  moveJob(job, waits ? stored.state : 'queued');
  if (job.cancel !== undefined) {
    return endings.endWaiting(job, { status: 'cancelled', error: cancellation(job, job.cancel) });
  }
  intake.resume(job);
}

/** Puts everything back that had not ended when JobForge stopped, however it stopped. */
export async function recover(parts: RecoveryParts): Promise<Recovered> {
  const { state, registry } = parts;
  const runners = await state.store.loadRunners();
  for (const { id, record } of runners) registry.restore(id, JSON.parse(record) as RunnerRecord);
  await restoreMarks(state, registry.get);
  let [jobs, after] = [0, 0];
  for (;;) {
    const page = await state.store.unfinishedJobs({ after, limit: PAGE });
    for (const stored of page) {
      jobs += 1;
      await recoverJob(parts, stored);
      after = stored.seq;
    }
    if (page.length < PAGE) break;
  }
  state.wake();
  return { jobs, runners: runners.length };
}
