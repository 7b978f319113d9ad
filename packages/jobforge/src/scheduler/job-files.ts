import { MAX_JOB_FILES, type FileReference } from '@controlplane/contracts';
import type { FileRooms } from '../files/file-rooms.js';
import { FileTooLarge, type ArrivedFile, type FileRoom } from '../files/file-room.js';
import { LIBRARY } from '../model/caller.js';
import type { FileDownload, FileOperations, FileUpload, ResultUpload } from '../model/file-operations.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { StoredJob } from '../store/store.js';
import type { AskJudge, Judge } from './artifacts.js';
import { filesOf } from './carried-files.js';
import type { FileClaims } from './file-claims.js';
import type { LiveState } from './live-state.js';
import { jobNotFound, reading } from './store-reads.js';

export interface JobFileParts {
  readonly state: LiveState;
  readonly files: FileRooms;
  /** Says which job an execution is of. */
  readonly judge: Judge;
  readonly claims: Pick<FileClaims, 'settled'>;
}

/** The files that jobs bring: how they come in, and to whom they are given. */
export interface JobFiles {
  readonly operations: FileOperations;
  /** A file of an execution of which is judged elsewhere whose it is. */
  ofExecution(sha256: string, judge: AskJudge): Promise<FileDownload>;
  /** The same, for the result of an execution. */
  putResult(body: ResultUpload['body'], judge: AskJudge): Promise<FileReference>;
}

const notFound = (message: string): JobForgeError => new JobForgeError('FILE_NOT_FOUND', { message });

interface Arriving {
  readonly owner: string;
  readonly body: AsyncIterable<Uint8Array>;
  readonly maxBytes: number;
  readonly words: string;
}

async function receive(room: FileRoom, { owner, body, maxBytes, words }: Arriving): Promise<ArrivedFile> {
  try {
    return await room.receive(owner, body, maxBytes);
  } catch (error) {
    if (!(error instanceof FileTooLarge)) throw error;
    throw new JobForgeError('PAYLOAD_TOO_LARGE', {
      message: `${words} is larger than the limit of ${maxBytes} bytes.`,
    });
  }
}

/** Results that the attempts of one job may bring. */
const MAX_RESULTS = 100;

/** Takes the result of an execution in, beside what its job brings. */
async function putResult(
  { state, files: { carried }, claims }: JobFileParts,
  body: AsyncIterable<Uint8Array>,
  judge: AskJudge,
): Promise<FileReference> {
  const owner = await judge();
  await claims.settled(owner);
  const { maxPayloadBytes } = state.limits;
  if ((await carried.list(owner)).length >= MAX_RESULTS + MAX_JOB_FILES)
    throw new JobForgeError('PAYLOAD_TOO_LARGE', { message: 'The job has too many files.' });
  const arrived = await receive(carried, { owner, body, maxBytes: maxPayloadBytes, words: 'The result' });
  try {
    // It may have been given to another while the result came.
    await judge();
    await arrived.keep();
  } finally {
    await arrived.discard();
  }
  return { sha256: arrived.sha256, bytes: arrived.bytes };
}

/**
 * Refuses an upload for which there is no room. What a job has adopted is there without it: the oldest of that goes
 * first.
 */
async function makeRoom(
  { state, files: { uploads } }: JobFileParts,
  actor: string,
  sha256: string,
): Promise<void> {
  const { maxWaitingUploads } = state.limits;
  const waiting = await uploads.list(actor);
  if (waiting.some((file) => file.sha256 === sha256)) return;
  const adopted = waiting.filter(({ isAdopted }) => isAdopted).sort((left, right) => left.at - right.at);
  const spare = adopted.slice(0, Math.max(0, waiting.length - maxWaitingUploads + 1));
  if (waiting.length - spare.length >= maxWaitingUploads)
    throw new JobForgeError('PAYLOAD_TOO_LARGE', {
      message: `${maxWaitingUploads} uploads of this caller wait already.`,
      remedy: 'Submit jobs that name those, or wait: an upload makes room a day after it was asked for last.',
    });
  for (const file of spare) await uploads.removeFile(actor, file.sha256);
}

/** Takes an upload in; what is larger than it may be, or another than announced, leaves nothing. */
async function put(parts: JobFileParts, { sha256, body }: FileUpload, actor: string): Promise<FileReference> {
  const { state, files } = parts;
  const { maxFileBytes } = state.limits;
  const { uploads } = files;
  // Before it has come, where it says what it is; and again after it, when others may have come.
  if (sha256 !== undefined) await makeRoom(parts, actor, sha256);
  const arrived = await receive(uploads, { owner: actor, body, maxBytes: maxFileBytes, words: 'The file' });
  if (sha256 !== undefined && arrived.sha256 !== sha256) {
    await arrived.discard();
    throw new JobForgeError('VALIDATION_ERROR', {
      message: `The file arrived with the SHA-256 ${arrived.sha256}, and ${sha256} was announced.`,
      remedy: 'Send it again.',
    });
  }
  try {
    await makeRoom(parts, actor, arrived.sha256);
    await arrived.keep();
  } finally {
    await arrived.discard();
  }
  await uploads.touch(actor, arrived.sha256, state.clock.now());
  return { sha256: arrived.sha256, bytes: arrived.bytes };
}

async function uploaded(
  { state, files: { uploads } }: JobFileParts,
  sha256: string,
  actor: string,
): Promise<FileDownload> {
  const found = await uploads.find(actor, sha256);
  if (found === undefined) throw notFound(`There is no upload with the SHA-256 ${sha256} of this caller.`);
  // Whoever asks is about to name it.
  await uploads.touch(actor, sha256, state.clock.now());
  const { bytes } = found;
  return { sha256, bytes, contentType: 'application/octet-stream', body: uploads.read(actor, sha256) };
}

async function ofStored({ carried }: FileRooms, stored: StoredJob, sha256: string): Promise<FileDownload> {
  const named = filesOf(stored).find((file) => file.sha256 === sha256);
  const found = named && (await carried.find(stored.id, sha256));
  if (named === undefined || found === undefined)
    throw notFound(`The job "${stored.id}" has no file with the SHA-256 ${sha256}.`);
  const { contentType } = named;
  return { sha256, bytes: found.bytes, contentType, body: carried.read(stored.id, sha256) };
}

async function ofJob({ state, files }: JobFileParts, jobId: string, sha256: string): Promise<FileDownload> {
  const stored = await reading(state.store.loadJob(jobId));
  if (stored === undefined) throw jobNotFound(jobId);
  return ofStored(files, stored, sha256);
}

export function createJobFiles(parts: JobFileParts): JobFiles {
  const ofExecution: JobFiles['ofExecution'] = async (sha256, judge) => ofJob(parts, await judge(), sha256);
  return {
    ofExecution,
    putResult: (body, judge) => putResult(parts, body, judge),
    operations: {
      putResult: (executionId, { body, leaseToken }) =>
        putResult(parts, body, () => parts.judge(executionId, leaseToken, 'result')),
      putFile: (upload, actor = LIBRARY) => put(parts, upload, actor),
      async getFile(sha256, source) {
        if ('uploadedBy' in source) return uploaded(parts, sha256, source.uploadedBy);
        if ('jobId' in source) return ofJob(parts, source.jobId, sha256);
        const { executionId, leaseToken } = source;
        return ofExecution(sha256, () => parts.judge(executionId, leaseToken));
      },
    },
  };
}
