import { createHash } from 'node:crypto';
import type { FileReference, JsonObject, JobSubmission } from '@controlplane/contracts';
import type { FileRoom, KeptFile } from '../files/file-room.js';
import type { FileRooms } from '../files/file-rooms.js';
import { JobForgeError } from '../model/job-forge-error.js';
import { isNestedDeeperThan, MAX_JSON_DEPTH } from '../model/json-depth.js';
import type { FileClaims } from './file-claims.js';
import type { LiveState } from './live-state.js';
import { newId } from './new-id.js';

/** A submission whose files are known to be there. */
export interface Gathered {
  /** As it is stored: with an id, and its input where it is too large for a message named as a file. */
  readonly submission: JobSubmission & { readonly id: string };
  /** The input, wherever it travels. */
  readonly data: JsonObject;
  /** Puts the files with the job: on disk when resolved, before the job is. */
  keep(): Promise<void>;
}

/** Finds the files that submissions name, and takes inputs out of them that are too large for a message. */
export interface SubmissionFiles {
  /** Whether a submission has anything to gather. */
  concerns(submission: JobSubmission, input: string): boolean;
  /** Refuses with FILE_NOT_FOUND, VALIDATION_ERROR or PAYLOAD_TOO_LARGE. */
  gather(asked: SubmissionWithFiles): Promise<Gathered>;
}

export interface SubmissionWithFiles {
  readonly submission: JobSubmission;
  /** JSON of the input. */
  readonly input: string;
  readonly actor: string;
}

export interface SubmissionFileParts {
  readonly state: Pick<LiveState, 'limits' | 'clock'>;
  readonly files: FileRooms;
  readonly claims: Pick<FileClaims, 'claim'>;
}

/** Where a file is that a submission may name. */
interface Place {
  readonly room: FileRoom;
  readonly owner: string;
  readonly file: KeptFile;
}

interface Wanted extends FileReference {
  /** How a refusal names it. */
  readonly words: string;
}

/** Among what its caller has uploaded, or with the job itself, where that is submitted again. */
async function find(
  { files: { uploads, carried } }: SubmissionFileParts,
  { sha256, bytes, words }: Wanted,
  { jobId, actor }: { readonly jobId: string; readonly actor: string },
): Promise<Place> {
  for (const [room, owner] of [[uploads, actor] as const, [carried, jobId] as const]) {
    const file = await room.find(owner, sha256);
    if (file === undefined) continue;
    if (file.bytes === bytes) return { room, owner, file };
    throw new JobForgeError('VALIDATION_ERROR', {
      message: `${words} has ${file.bytes} bytes, and ${bytes} are named; nothing was queued.`,
    });
  }
  throw new JobForgeError('FILE_NOT_FOUND', {
    message: `${words} (SHA-256 ${sha256}) has not been uploaded by this caller; nothing was queued.`,
  });
}

const notAnInput = (why: string): JobForgeError =>
  new JobForgeError('VALIDATION_ERROR', {
    message: `payload.dataFile ${why}; nothing was queued.`,
    details: [{ path: ['payload', 'dataFile'], message: why }],
  });

async function whole(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Reads the input that a file holds. */
async function readInput(place: Place): Promise<JsonObject> {
  const bytes = await whole(place.room.read(place.owner, place.file.sha256));
  if (isNestedDeeperThan(bytes, MAX_JSON_DEPTH))
    throw notAnInput(`nests arrays and objects deeper than ${MAX_JSON_DEPTH} levels`);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw notAnInput(`is no JSON: ${(error instanceof Error ? error.message : String(error)).slice(0, 200)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw notAnInput('is no JSON object');
  return value as JsonObject;
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

function checkSize({ limits: { maxPayloadBytes } }: SubmissionFileParts['state'], bytes: number): void {
  if (bytes <= maxPayloadBytes) return;
  throw new JobForgeError('PAYLOAD_TOO_LARGE', {
    message: `The input has ${bytes} bytes of JSON, and ${maxPayloadBytes} are allowed.`,
    remedy: 'Bring what is large as a file of the job, which the handler reads as it comes.',
  });
}

/** The input of a submission, and where it is where it is not in the submission itself. */
async function inputOf(
  parts: SubmissionFileParts,
  { submission: { payload }, input, actor }: SubmissionWithFiles,
  jobId: string,
): Promise<{ readonly data: JsonObject; readonly dataFile?: FileReference; readonly place?: Place }> {
  const { state } = parts;
  const { data, dataFile } = payload;
  if (dataFile === undefined || input !== '{}') {
    const bytes = Buffer.byteLength(input);
    checkSize(state, bytes);
    const sha256 = createHash('sha256').update(input).digest('hex');
    // A job as it is shown has both.
    if (dataFile !== undefined && dataFile.sha256 !== sha256)
      throw notAnInput('and payload.data hold two inputs: leave data empty');
    return bytes <= state.limits.maxInlineBytes ? { data } : { data, dataFile: { sha256, bytes } };
  }
  checkSize(state, dataFile.bytes);
  const place = await find(parts, { ...dataFile, words: 'The file of the input' }, { jobId, actor });
  return { data: await readInput(place), dataFile, place };
}

/** Keeps a file with its job; where it is there already, it may have been removed since it was found. */
async function keepPlace(
  { state, files: { carried } }: SubmissionFileParts,
  jobId: string,
  { room, owner, file: { sha256 } }: Place,
): Promise<void> {
  const isKept =
    room === carried
      ? (await carried.find(jobId, sha256)) !== undefined
      : await carried.adopt(jobId, sha256, { room, owner });
  if (!isKept)
    throw new JobForgeError('FILE_NOT_FOUND', {
      message: `The upload with the SHA-256 ${sha256} is no longer there; nothing was queued.`,
    });
  if (room !== carried) await room.touch(owner, sha256, state.clock.now());
}

async function gather(parts: SubmissionFileParts, asked: SubmissionWithFiles): Promise<Gathered> {
  const { submission, input, actor } = asked;
  const jobId = submission.id ?? newId();
  const { data, dataFile, place } = await inputOf(parts, asked, jobId);
  const places = place === undefined ? [] : [place];
  for (const { name, ...file } of submission.files ?? [])
    places.push(await find(parts, { ...file, words: `The file ${name}` }, { jobId, actor }));
  // What fits into a message travels there alone, also where a job as it was shown has both.
  const payload = { ...submission.payload };
  if (dataFile === undefined) delete payload.dataFile;
  else Object.assign(payload, { data: {}, dataFile });
  return {
    data,
    submission: { ...submission, id: jobId, payload },
    async keep() {
      const isNew = dataFile !== undefined && place === undefined;
      if (!isNew && places.length === 0) return;
      await parts.claims.claim(jobId);
      if (isNew) await (await parts.files.carried.receive(jobId, once(input), dataFile.bytes)).keep();
      for (const each of places) await keepPlace(parts, jobId, each);
    },
  };
}

export function createSubmissionFiles(parts: SubmissionFileParts): SubmissionFiles {
  const { maxInlineBytes } = parts.state.limits;
  return {
    // A UTF-16 unit is at most three bytes of UTF-8: most inputs need not be measured.
    concerns: ({ files, payload: { dataFile } }, input) =>
      (files !== undefined && files.length > 0) ||
      dataFile !== undefined ||
      (input.length * 3 > maxInlineBytes && Buffer.byteLength(input) > maxInlineBytes),
    gather: (asked) => gather(parts, asked),
  };
}
