import type { Artifact } from '@controlplane/contracts';
import { FileTooLarge, type FileRoom } from '../files/file-room.js';
import type { ArtifactOperations, ArtifactUpload } from '../model/artifact-operations.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { RecordAccess } from '../store/collection.js';
import type { ExecutionReports } from './execution-reports.js';
import { iso } from './job-views.js';
import type { Execution } from './live-job.js';
import type { LiveState } from './live-state.js';
import { jobNotFound, reading } from './store-reads.js';

export interface ArtifactParts {
  readonly state: LiveState;
  readonly files: FileRoom;
  readonly records: RecordAccess;
  readonly reports: Pick<ExecutionReports, 'holder'>;
}

/** Files of jobs: what can be asked of them, and how they go with their jobs. */
export interface Artifacts {
  readonly operations: ArtifactOperations;
  /** Forgets the files of jobs that are no longer there. Resolves to how many jobs that were. */
  sweep(): Promise<number>;
}

const collectionOf = (jobId: string): string => `artifacts:${jobId}`;
/** A name within one attempt: a file that is sent again takes the place of the first. */
const placeOf = ({ executionId, name }: Artifact): string => `${executionId}/${name}`;

async function artifactsOf({ records }: Pick<ArtifactParts, 'records'>, jobId: string): Promise<Artifact[]> {
  const found = await reading(records.load(collectionOf(jobId)));
  return found
    .map(({ record }) => JSON.parse(record) as Artifact)
    .sort((left, right) => (left.createdAt < right.createdAt ? -1 : 1));
}

function checkRoom(state: LiveState, known: readonly Artifact[], { executionId, name }: Artifact): void {
  const { maxArtifactsPerJob } = state.limits;
  const isNew = !known.some((artifact) => artifact.executionId === executionId && artifact.name === name);
  if (!isNew || known.length < maxArtifactsPerJob) return;
  throw new JobForgeError('PAYLOAD_TOO_LARGE', {
    message: `The job has ${known.length} artifacts, and may have ${maxArtifactsPerJob}.`,
    remedy: 'Leave fewer files, such as one archive of them.',
  });
}

async function keep({ state, files }: ArtifactParts, { job }: Execution, upload: ArtifactUpload) {
  const { maxArtifactBytes } = state.limits;
  let kept;
  try {
    kept = await files.put(job.id, upload.body, maxArtifactBytes);
  } catch (error) {
    if (!(error instanceof FileTooLarge)) throw error;
    throw new JobForgeError('PAYLOAD_TOO_LARGE', {
      message: `The artifact ${upload.name} is larger than the limit of ${maxArtifactBytes} bytes.`,
    });
  }
  if (upload.sha256 === undefined || upload.sha256.toLowerCase() === kept.sha256) return kept;
  throw new JobForgeError('VALIDATION_ERROR', {
    message: `The artifact ${upload.name} arrived with the SHA-256 ${kept.sha256}, and ${upload.sha256.slice(0, 64)} was announced.`,
    remedy: 'Send it again.',
  });
}

async function put(parts: ArtifactParts, executionId: string, upload: ArtifactUpload): Promise<Artifact> {
  const { state, records, reports } = parts;
  const execution = reports.holder(executionId, upload.leaseToken);
  if (typeof execution === 'string') throw new JobForgeError(execution);
  const { name, contentType } = upload;
  const jobId = execution.job.id;
  const { sha256, bytes } = await keep(parts, execution, upload);
  const artifact: Artifact = {
    ...{ name, jobId, executionId, bytes, sha256, contentType },
    createdAt: iso(state.clock.now()),
  };
  checkRoom(state, await artifactsOf(parts, jobId), artifact);
  // It may have been given to another while the file came.
  const now = reports.holder(executionId, upload.leaseToken);
  if (typeof now === 'string') throw new JobForgeError(now);
  const record = JSON.stringify(artifact);
  await records.write({ kind: 'put-record', collection: collectionOf(jobId), id: placeOf(artifact), record });
  return artifact;
}

export function createArtifacts(parts: ArtifactParts): Artifacts {
  const { state, files, records } = parts;

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

  return {
    operations: {
      putArtifact: (executionId, upload) => put(parts, executionId, upload),
      listArtifacts: list,
      getArtifact: get,
    },
    async sweep() {
      let gone = 0;
      for await (const jobId of files.jobs()) {
        if ((await state.store.loadJob(jobId)) !== undefined) continue;
        await forget(jobId);
        gone += 1;
      }
      return gone;
    },
  };
}
