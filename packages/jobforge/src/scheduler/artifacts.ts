import type { Artifact } from '@controlplane/contracts';
import { FileTooLarge, type ArrivedFile, type FileRoom } from '../files/file-room.js';
import type { ArtifactOperations, ArtifactUpload } from '../model/artifact-operations.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { RecordAccess } from '../store/collection.js';
import { hiderOf } from './execution-secrets.js';
import type { ExecutionReports } from './execution-reports.js';
import type { FileClaims } from './file-claims.js';
import { iso } from './job-views.js';
import type { LiveState } from './live-state.js';
import { jobNotFound, reading } from './store-reads.js';
import { createTurns, type Turns } from './turns.js';

export interface ArtifactParts {
  readonly state: LiveState;
  readonly files: FileRoom;
  readonly records: RecordAccess;
  readonly reports: Pick<ExecutionReports, 'holder'>;
  readonly claims: Pick<FileClaims, 'settled'>;
}

/** Resolves to a job's id; for a result only where results may come as files. */
export type Judge = (executionId: string, leaseToken: string | undefined, purpose?: 'result') => string;
export type AskJudge = () => string | Promise<string>;

/** Files of jobs: what can be asked of them, and how they go with their jobs. */
export interface Artifacts {
  readonly operations: ArtifactOperations;
  /** The job of the execution that a lease token is the right to. Refuses with EXECUTION_NOT_FOUND or LEASE_SUPERSEDED. */
  readonly judge: Judge;
  /** Keeps a file here whose right to be kept is judged elsewhere. */
  put(executionId: string, upload: ArtifactUpload, judge: AskJudge): Promise<Artifact>;
  /** Forgets what a job has left. */
  forget(jobId: string): Promise<void>;
}

const collectionOf = (jobId: string): string => `artifacts:${jobId}`;
/** A name within one attempt: a file that is sent again takes the place of the first. */
const placeOf = ({ executionId, name }: Pick<Artifact, 'executionId' | 'name'>): string =>
  `${executionId}/${name}`;

async function artifactsOf({ records }: Pick<ArtifactParts, 'records'>, jobId: string): Promise<Artifact[]> {
  const found = await reading(records.load(collectionOf(jobId)));
  return found
    .map(({ record }) => JSON.parse(record) as Artifact)
    .sort((left, right) => (left.createdAt < right.createdAt ? -1 : 1));
}

/** Files of one job that are on their way in, by their places. */
type Arrivals = Map<string, string[]>;

function enter(arrivals: Arrivals, jobId: string, place: string): () => void {
  const arriving = arrivals.get(jobId) ?? [];
  arrivals.set(jobId, arriving);
  arriving.push(place);
  return () => {
    arriving.splice(arriving.indexOf(place), 1);
    if (arriving.length === 0) arrivals.delete(jobId);
  };
}

/** Refuses a file for which there is no room, beside those that are there and those on their way. */
function checkRoom(state: LiveState, known: readonly Artifact[], places: readonly string[]): void {
  const { maxArtifactsPerJob } = state.limits;
  const all = new Set([...known.map(placeOf), ...places]);
  // Of one name many may come at once: each takes its own place on the disk.
  if (Math.max(all.size, places.length) <= maxArtifactsPerJob) return;
  throw new JobForgeError('PAYLOAD_TOO_LARGE', {
    message: `The job has ${known.length} artifacts and ${places.length} on their way, and may have ${maxArtifactsPerJob}.`,
    remedy: 'Leave fewer files, such as one archive of them.',
  });
}

async function receive({ state, files }: Desk, jobId: string, upload: ArtifactUpload): Promise<ArrivedFile> {
  const { maxArtifactBytes } = state.limits;
  let arrived;
  try {
    arrived = await files.receive(jobId, upload.body, maxArtifactBytes);
  } catch (error) {
    if (!(error instanceof FileTooLarge)) throw error;
    throw new JobForgeError('PAYLOAD_TOO_LARGE', {
      message: `The artifact ${upload.name} is larger than the limit of ${maxArtifactBytes} bytes.`,
    });
  }
  if (upload.sha256 === undefined || upload.sha256.toLowerCase() === arrived.sha256) return arrived;
  await arrived.discard();
  throw new JobForgeError('VALIDATION_ERROR', {
    message: `The artifact ${upload.name} arrived with the SHA-256 ${arrived.sha256}, and ${upload.sha256.slice(0, 64)} was announced.`,
    remedy: 'Send it again.',
  });
}

interface Desk extends ArtifactParts {
  readonly arrivals: Arrivals;
  /** By job: what a file takes the place of is seen by one at a time. */
  readonly turns: Turns;
}

/** Takes a file that has arrived among those of its job, and what it replaces out of them. */
async function settle(desk: Desk, artifact: Artifact, arrived: ArrivedFile): Promise<void> {
  const { state, files, records } = desk;
  const { jobId } = artifact;
  const [place, collection] = [placeOf(artifact), collectionOf(jobId)];
  const known = await artifactsOf(desk, jobId);
  checkRoom(state, known, [place]);
  const others = known.filter((one) => placeOf(one) !== place);
  const forget = async (sha256: string, named: readonly Artifact[]): Promise<void> => {
    if (!named.some((one) => one.sha256 === sha256)) await files.removeFile(jobId, sha256);
  };
  await arrived.keep();
  try {
    await records.write({ kind: 'put-record', collection, id: place, record: JSON.stringify(artifact) });
  } catch (error) {
    await forget(artifact.sha256, known);
    throw error;
  }
  for (const { sha256 } of known) await forget(sha256, [...others, artifact]);
}

async function put(
  desk: Desk,
  { executionId, ...upload }: ArtifactUpload & { readonly executionId: string },
  judge: AskJudge,
): Promise<Artifact> {
  const { state, arrivals, turns } = desk;
  const jobId = await judge();
  const { name, contentType } = upload;
  await desk.claims.settled(jobId);
  const leave = enter(arrivals, jobId, placeOf({ executionId, name }));
  try {
    checkRoom(state, await artifactsOf(desk, jobId), arrivals.get(jobId) ?? []);
    const arrived = await receive(desk, jobId, upload);
    const { sha256, bytes } = arrived;
    const createdAt = iso(state.clock.now());
    const artifact: Artifact = { name, jobId, executionId, bytes, sha256, contentType, createdAt };
    await turns.take(jobId, async () => {
      try {
        // It may have been given to another while the file came.
        await judge();
        await settle(desk, artifact, arrived);
      } finally {
        await arrived.discard();
      }
    });
    return artifact;
  } finally {
    leave();
  }
}

export function createArtifacts(parts: ArtifactParts): Artifacts {
  const { state, files, records } = parts;
  const desk: Desk = { ...parts, arrivals: new Map(), turns: createTurns() };

  const list = async (jobId: string): Promise<Artifact[]> => {
    if ((await reading(state.store.loadJob(jobId))) === undefined) throw jobNotFound(jobId);
    const last = new Map((await artifactsOf(parts, jobId)).map((artifact) => [artifact.name, artifact]));
    return [...last.values()];
  };

  const forget = async (jobId: string): Promise<void> => {
    for (const artifact of await artifactsOf(parts, jobId))
      await records.write({ kind: 'remove-record', collection: collectionOf(jobId), id: placeOf(artifact) });
    await files.remove(jobId);
  };

  const get: ArtifactOperations['getArtifact'] = async (jobId, name) => {
    const artifact = (await list(jobId)).find((one) => one.name === name);
    if (artifact === undefined)
      throw new JobForgeError('ARTIFACT_NOT_FOUND', { message: `The job "${jobId}" has left no ${name}.` });
    return { artifact, body: files.read(jobId, artifact.sha256) };
  };

  const judge: Judge = (executionId, leaseToken, purpose) => {
    const execution = parts.reports.holder(executionId, leaseToken);
    if (typeof execution === 'string') throw new JobForgeError(execution);
    if (purpose === 'result' && hiderOf(state, execution) !== undefined)
      throw new JobForgeError('VALIDATION_ERROR', {
        message: 'The execution was given secrets: its result travels in its last event.',
      });
    return execution.job.id;
  };

  return {
    judge,
    put: (executionId, upload, ask) => put(desk, { executionId, ...upload }, ask),
    operations: {
      putArtifact: (executionId, upload) =>
        put(desk, { executionId, ...upload }, () => judge(executionId, upload.leaseToken)),
      listArtifacts: list,
      getArtifact: get,
    },
    forget,
  };
}
