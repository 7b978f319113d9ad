import {
  Identifier,
  type ErrorDetail,
  type JobBatchEntry,
  type JobSubmission,
} from '@controlplane/contracts';
import { isJobForgeError, JobForgeError } from '../model/job-forge-error.js';
import { isSameRequest, toJobRequest } from '../model/job-record.js';
import { shownStatus } from '../model/job-state.js';
import { nearName } from '../model/near-name.js';
import type { Submitted } from '../model/operations.js';
import { termsOf, type Demand, type Terms } from '../model/demand.js';
import type { Explanations } from './explanations.js';
import { secretMissing } from './execution-secrets.js';
import type { JobIntake } from './job-intake.js';
import { iso, toJobResponse } from './job-views.js';
import type { LiveJob } from './live-job.js';
import type { LiveState } from './live-state.js';
import type { RunnerRegistry } from './runner-registry.js';
import { reading } from './store-reads.js';

export interface Submissions {
  submitJob(submission: JobSubmission): Promise<Submitted>;
  submitJobs(submissions: readonly JobSubmission[]): Promise<JobBatchEntry[]>;
}

export interface SubmissionParts {
  readonly state: LiveState;
  readonly registry: RunnerRegistry;
  readonly intake: JobIntake;
  readonly explanations: Explanations;
}

/** What names nothing but an id that no capability can have, and no type that one supports, would wait for ever. */
function checkCapability(registry: RunnerRegistry, demand: Demand): JobForgeError | undefined {
  const { payloadType: wanted, jobType } = demand;
  if (jobType !== wanted || Identifier.safeParse(wanted).success) return undefined;
  // What runners call the types of jobs that they support is free.
  if (registry.isOffered(demand)) return undefined;
  const meant = nearName(wanted, registry.capabilityIds());
  const words = `${JSON.stringify(wanted)} cannot be the id of a capability`;
  const message = meant === undefined ? words : `${words} (did you mean ${meant}?)`;
  return new JobForgeError('VALIDATION_ERROR', {
    message: `${message}; nothing was queued.`,
    details: [{ path: ['payload', 'type'], message }],
    remedy:
      'An id is 1–128 characters of A-Z a-z 0-9 . _ : -; `jobforge capability list` shows those that are offered.',
  });
}

function checkInput(
  registry: RunnerRegistry,
  demand: Demand,
  { payload }: JobSubmission,
): JobForgeError | undefined {
  const offers = registry.offers(demand);
  let details: ErrorDetail[] | undefined;
  let refusedBy = '';
  const seen = new Set<unknown>();
  for (const { runner, capability } of offers) {
    const check = runner.checks.get(capability.id);
    if (check === undefined) return undefined;
    if (seen.has(check)) continue;
    seen.add(check);
    const refused = check(payload.data);
    if (refused === undefined) return undefined;
    details = refused;
    refusedBy = `${capability.id}@${capability.version}`;
  }
  if (details === undefined) return undefined;
  return new JobForgeError('VALIDATION_ERROR', {
    message: `The input does not match the schema of ${refusedBy}; nothing was queued.`,
    details,
  });
}

/** Refuses what no runner could be sent, because each lacks a secret for it. */
function checkSecrets(
  { secrets }: LiveState,
  registry: RunnerRegistry,
  demand: Demand,
): JobForgeError | undefined {
  let refused: JobForgeError | undefined;
  for (const { capability } of registry.offers(demand)) {
    if (capability.secrets === undefined) return undefined;
    const missing = secrets.missing(capability.secrets, capability.id);
    if (missing.length === 0) return undefined;
    refused ??= new JobForgeError('SECRET_MISSING', {
      ...secretMissing(capability.id, missing),
      operation: 'submitJob',
    });
  }
  return refused;
}

/** What is to start later is asked then whether anybody matches. */
function checkMatch(
  { state, explanations }: SubmissionParts,
  submission: JobSubmission,
): JobForgeError | undefined {
  const { placement, metadata } = submission;
  if (placement?.noMatch !== 'fail') return undefined;
  if (metadata.scheduledAt !== undefined && Date.parse(metadata.scheduledAt) > state.clock.now())
    return undefined;
  return explanations.unmatched(submission);
}

function refusalOf(
  parts: SubmissionParts,
  submission: JobSubmission,
  { demand }: Terms,
): JobForgeError | undefined {
  const { state, registry } = parts;
  if (state.stopping) return new JobForgeError('SHUTTING_DOWN');
  return (
    state.webhooks.refusalOf(submission.webhook) ??
    checkCapability(registry, demand) ??
    checkMatch(parts, submission) ??
    checkInput(registry, demand, submission) ??
    checkSecrets(state, registry, demand)
  );
}

/** The id was taken: by the same request, or by another. */
async function found(state: LiveState, submission: JobSubmission): Promise<Submitted> {
  const id = submission.id ?? '';
  const stored = await reading(state.store.loadJob(id));
  if (stored === undefined)
    throw new JobForgeError('STORE_UNAVAILABLE', { message: `The job "${id}" could not be read.` });
  if (!isSameRequest(toJobRequest(id, stored), submission)) {
    throw new JobForgeError('JOB_CONFLICT', {
      message: `A job with the id "${id}" exists and was submitted with another body.`,
    });
  }
  return { job: toJobResponse(stored, state.jobs.get(id)), created: false };
}

function toSubmitted({ explanations }: SubmissionParts, submission: JobSubmission, job: LiveJob): Submitted {
  const { id, createdAt, phase } = job;
  const view: Submitted['job'] = {
    id,
    status: phase === 'ended' ? 'queued' : shownStatus(phase),
    request: { ...submission, id },
    updatedAt: iso(createdAt),
    attempts: 0,
  };
  if (phase === 'queued') view.waitingFor = explanations.waitingFor(job);
  return { job: view, created: true };
}

function refusedEntry({ id }: JobSubmission, { envelope }: JobForgeError): JobBatchEntry {
  return id === undefined ? { error: envelope } : { id, error: envelope };
}

/** The entry of a submission whose id was taken. */
async function foundEntry(state: LiveState, submission: JobSubmission): Promise<JobBatchEntry> {
  try {
    const { job } = await found(state, submission);
    return { id: job.id, status: job.status };
  } catch (error) {
    if (isJobForgeError(error)) return refusedEntry(submission, error);
    throw error;
  }
}

/** Inserts all of them; what is left undefined was found taken. */
function insertMany(
  parts: SubmissionParts,
  submissions: readonly JobSubmission[],
): Promise<(JobBatchEntry | undefined)[]> {
  return new Promise((resolve) => {
    const entries: (JobBatchEntry | undefined)[] = Array.from({ length: submissions.length });
    let waiting = submissions.length;
    const settle = (index: number, entry: JobBatchEntry | undefined): void => {
      entries[index] = entry;
      waiting -= 1;
      if (waiting === 0) resolve(entries);
    };
    for (const [index, submission] of submissions.entries()) {
      const terms = termsOf(submission);
      const refused = refusalOf(parts, submission, terms);
      if (refused !== undefined) {
        settle(index, refusedEntry(submission, refused));
        continue;
      }
      parts.intake.insert({ submission, terms }, (error, job) => {
        if (error !== undefined) settle(index, refusedEntry(submission, error));
        else settle(index, job && { id: job.id, status: shownStatus(job.phase) });
      });
    }
    if (submissions.length === 0) resolve([]);
  });
}

export function createSubmissions(parts: SubmissionParts): Submissions {
  const { state, intake } = parts;

  const insert = (submission: JobSubmission): Promise<LiveJob | undefined> =>
    new Promise((resolve, reject) => {
      const terms = termsOf(submission);
      const refused = refusalOf(parts, submission, terms);
      if (refused !== undefined) return reject(refused);
      intake.insert({ submission, terms }, (error, job) =>
        error === undefined ? resolve(job) : reject(error),
      );
    });

  return {
    async submitJob(submission) {
      const job = await insert(submission);
      return job === undefined ? found(state, submission) : toSubmitted(parts, submission, job);
    },
    async submitJobs(submissions) {
      const entries = await insertMany(parts, submissions);
      const filled: JobBatchEntry[] = [];
      for (const [index, submission] of submissions.entries()) {
        filled.push(entries[index] ?? (await foundEntry(state, submission)));
      }
      return filled;
    },
  };
}
