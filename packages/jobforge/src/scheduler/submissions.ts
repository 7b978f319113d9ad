import {
  Identifier,
  type ErrorDetail,
  type JobBatchEntry,
  type JobSubmission,
} from '@controlplane/contracts';
import { LIBRARY } from '../model/caller.js';
import { isJobForgeError, JobForgeError } from '../model/job-forge-error.js';
import { isSameRequest, toJobRequest } from '../model/job-record.js';
import { shownStatus } from '../model/job-state.js';
import { nearName } from '../model/near-name.js';
import type { Submitted } from '../model/operations.js';
import { termsOf, type Demand, type Terms } from '../model/demand.js';
import type { Explanations } from './explanations.js';
import { secretMissing } from './execution-secrets.js';
import type { Asked, JobIntake } from './job-intake.js';
import { iso, toJobResponse } from './job-views.js';
import type { LiveJob } from './live-job.js';
import type { LiveState } from './live-state.js';
import type { RunnerRegistry } from './runner-registry.js';
import { reading } from './store-reads.js';
import type { SubmissionFiles, SubmissionWithFiles } from './submission-files.js';

export interface Submissions {
  /** @param actor - whose uploads the submission may name */
  submitJob(submission: JobSubmission, actor?: string): Promise<Submitted>;
  submitJobs(submissions: readonly JobSubmission[], actor?: string): Promise<JobBatchEntry[]>;
}

export interface SubmissionParts {
  readonly state: LiveState;
  readonly registry: RunnerRegistry;
  readonly intake: JobIntake;
  readonly explanations: Explanations;
  readonly files: SubmissionFiles;
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
  { payload }: Pick<JobSubmission, 'payload'>,
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
  demand: Demand,
): JobForgeError | undefined {
  const { placement, metadata } = submission;
  if (placement?.noMatch !== 'fail') return undefined;
  if (metadata.scheduledAt !== undefined && Date.parse(metadata.scheduledAt) > state.clock.now())
    return undefined;
  return explanations.unmatched(demand);
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
    checkMatch(parts, submission, demand) ??
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

/** A submission on its way in, and whose uploads it may name. */
interface Coming {
  readonly submission: JobSubmission;
  readonly actor: string;
}

function stored(intake: JobIntake, asked: Asked): Promise<LiveJob | undefined> {
  return new Promise((resolve, reject) => {
    intake.insert(asked, (error, job) => (error === undefined ? resolve(job) : reject(error)));
  });
}

/** Inserts a submission with files: they are with the job before it is there. */
async function insertWithFiles(parts: SubmissionParts, coming: SubmissionWithFiles): Promise<Found> {
  const { submission, data, keep } = await parts.files.gather(coming);
  const terms = termsOf(submission);
  const { payload } = submission;
  const refused = refusalOf(parts, { ...submission, payload: { ...payload, data } }, terms);
  if (refused !== undefined) throw refused;
  // The folder of a job that is there is not written to.
  if (
    coming.submission.id !== undefined &&
    (await reading(parts.state.store.loadJob(submission.id))) !== undefined
  )
    return { submission, job: undefined };
  await keep();
  const job = await stored(parts.intake, { submission, terms, input: JSON.stringify(payload.data) });
  return { submission, job };
}

/** What was inserted; where the id was taken, no job. */
interface Found {
  readonly submission: JobSubmission;
  readonly job: LiveJob | undefined;
}

/** Inserts a submission; in this turn where nothing is to be gathered for it, so that many share a transaction. */
function insert(parts: SubmissionParts, { submission, actor }: Coming): Promise<Found> {
  const input = JSON.stringify(submission.payload.data);
  if (parts.files.concerns(submission, input)) return insertWithFiles(parts, { submission, input, actor });
  const terms = termsOf(submission);
  const refused = refusalOf(parts, submission, terms);
  if (refused !== undefined) return Promise.reject(refused);
  return stored(parts.intake, { submission, terms, input }).then((job) => ({ submission, job }));
}

/** Told what became of one of many submissions. */
type Entered = (entry: JobBatchEntry | Promise<JobBatchEntry>) => void;

/** The entry of a submission with files; its refusal is its entry. */
async function entryWithFiles(parts: SubmissionParts, coming: SubmissionWithFiles): Promise<JobBatchEntry> {
  try {
    const { submission, job } = await insertWithFiles(parts, coming);
    return job === undefined ? await foundEntry(parts.state, submission) : entryOf(job);
  } catch (error) {
    if (isJobForgeError(error)) return refusedEntry(coming.submission, error);
    throw error;
  }
}

const entryOf = ({ id, phase }: LiveJob): JobBatchEntry => ({ id, status: shownStatus(phase) });

/** Inserts one of many; its refusal is its entry. Without promises: batches are how many jobs come at once. */
function enter(parts: SubmissionParts, { submission, actor }: Coming, entered: Entered): void {
  const input = JSON.stringify(submission.payload.data);
  if (parts.files.concerns(submission, input))
    return entered(entryWithFiles(parts, { submission, input, actor }));
  const terms = termsOf(submission);
  const refused = refusalOf(parts, submission, terms);
  if (refused !== undefined) return entered(refusedEntry(submission, refused));
  parts.intake.insert({ submission, terms, input }, (error, job) => {
    if (error !== undefined) entered(refusedEntry(submission, error));
    else entered(job === undefined ? foundEntry(parts.state, submission) : entryOf(job));
  });
}

function enterAll(parts: SubmissionParts, all: readonly Coming[]): Promise<JobBatchEntry[]> {
  return new Promise((resolve, reject) => {
    const entries: JobBatchEntry[] = [];
    let left = all.length;
    const place = (index: number, entry: JobBatchEntry): void => {
      entries[index] = entry;
      left -= 1;
      if (left === 0) resolve(entries);
    };
    if (left === 0) return resolve(entries);
    for (const [index, coming] of all.entries())
      enter(parts, coming, (entry) => {
        if (entry instanceof Promise) entry.then((known) => place(index, known), reject);
        else place(index, entry);
      });
  });
}

export function createSubmissions(parts: SubmissionParts): Submissions {
  return {
    async submitJob(asked, actor = LIBRARY) {
      const { submission, job } = await insert(parts, { submission: asked, actor });
      return job === undefined ? found(parts.state, submission) : toSubmitted(parts, submission, job);
    },
    submitJobs: (submissions, actor = LIBRARY) =>
      enterAll(
        parts,
        submissions.map((submission) => ({ submission, actor })),
      ),
  };
}
