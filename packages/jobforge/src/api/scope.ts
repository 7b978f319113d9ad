import type { JobResponse, JobSubmission, RunnerMetadata } from '@controlplane/contracts';
import { inScope, type ApiCaller, type Caller } from '../model/caller.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { Operations } from '../model/operations.js';
import type { ServedName } from './served-endpoints.js';

/** The endpoints that know scopes. Whoever has one may ask nothing else: what is added is closed until it knows them. */
const SCOPED: ReadonlySet<ServedName> = new Set<ServedName>([
  'whoAmI',
  'submitJob',
  'submitJobs',
  'listJobs',
  'showJob',
  'whyJob',
  'cancelJob',
  'jobEvents',
  'jobLogs',
  'putFile',
  'getFile',
  'listRunners',
  'showRunner',
]);

function exceeded(caller: ApiCaller, what: string): JobForgeError {
  const { name, capabilities, runners } = caller;
  const scope = [
    ...(capabilities ? [`the capabilities ${capabilities.join(', ')}`] : []),
    ...(runners ? [`the runners ${runners.join(', ')}`] : []),
  ].join(' and ');
  return new JobForgeError('SCOPE_EXCEEDED', { message: `The token "${name}" is for ${scope}: ${what}.` });
}

const isApi = (caller: Caller): caller is ApiCaller => caller.kind === 'api';

type Asked = Pick<JobSubmission, 'payload' | 'placement'>;

/** Whether every runner that a placement may choose is in a token's scope. */
function placedInScope({ runners }: ApiCaller, { placement }: Asked): boolean {
  if (runners === undefined) return true;
  const wanted = placement?.runner;
  // A pattern that fits another as if it were a name chooses no more than that. `?` would fit none.
  return wanted !== undefined && inScope(runners, wanted);
}

/** Whether a job is one that a caller may see. */
export function maySee(caller: Caller, job: JobResponse): boolean {
  if (!isApi(caller)) return true;
  return inScope(caller.capabilities, job.request.payload.type) && placedInScope(caller, job.request);
}

/** Whether a runner is one that a caller may see. */
export function maySeeRunner(caller: Caller, { name }: RunnerMetadata): boolean {
  return !isApi(caller) || inScope(caller.runners, name);
}

/** A submission that only a capability of the id can serve that it names: its job type is the caller's to choose. */
function byIdAlone({ capabilities }: ApiCaller, submission: JobSubmission): JobSubmission {
  if (capabilities === undefined) return submission;
  return { ...submission, placement: { ...submission.placement, servedBy: 'id' } };
}

/**
 * A submission as a caller may make it: for capabilities that its token names, found by their ids alone, and to the
 * runners of its token where that has one pattern of them and the submission says nothing. Refuses with SCOPE_EXCEEDED.
 */
export function scoped(caller: Caller, submission: JobSubmission): JobSubmission {
  if (!isApi(caller)) return submission;
  const { capabilities, runners } = caller;
  const { payload, placement } = submission;
  if (!inScope(capabilities, payload.type)) throw exceeded(caller, `not for ${payload.type}`);
  const narrowed = byIdAlone(caller, submission);
  if (placedInScope(caller, submission)) return narrowed;
  const [only, ...others] = runners ?? [];
  if (placement?.runner === undefined && only !== undefined && others.length === 0)
    return { ...narrowed, placement: { ...narrowed.placement, runner: only } };
  throw exceeded(caller, `say in placement.runner which of them, not ${placement?.runner ?? 'any'}`);
}

export interface ScopedRequest {
  readonly name: ServedName;
  readonly caller: ApiCaller;
  readonly id: string | undefined;
  readonly operations: Operations;
}

/** Refuses what is outside a token's scope, as far as the path tells it. */
export async function checkScope({ name, caller, id, operations }: ScopedRequest): Promise<Caller> {
  if (!SCOPED.has(name)) throw exceeded(caller, 'not for this');
  if (id === undefined) return caller;
  if (name === 'showRunner') {
    if (!maySeeRunner(caller, await operations.showRunner(id))) throw exceeded(caller, `not for ${id}`);
  } else if (!maySee(caller, await operations.showJob(id, { plain: true })))
    throw exceeded(caller, `not for the job ${id}`);
  return caller;
}
