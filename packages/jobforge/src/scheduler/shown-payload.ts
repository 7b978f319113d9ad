import type { FileReference, JobResponse, JsonObject } from '@controlplane/contracts';
import type { FileRoom } from '../files/file-room.js';
import { isNestedDeeperThan, MAX_JSON_DEPTH } from '../model/json-depth.js';
import type { LiveState } from './live-state.js';

export interface ShownPayloadParts {
  readonly state: Pick<LiveState, 'limits'>;
  /** Of what jobs carry. */
  readonly carried: FileRoom;
}

async function valueOf(
  { state, carried }: ShownPayloadParts,
  jobId: string,
  { sha256 }: FileReference,
): Promise<unknown> {
  const found = await carried.find(jobId, sha256);
  // What no answer could hold is read as a file.
  if (found === undefined || found.bytes > state.limits.maxBodyBytes) return undefined;
  const pieces: Uint8Array[] = [];
  for await (const piece of carried.read(jobId, sha256)) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  // It is written into an answer, by what would overflow the stack.
  if (isNestedDeeperThan(bytes, MAX_JSON_DEPTH)) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch (error) {
    // A runner said that it was JSON.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Puts into the view of a job what travelled as files, up to what a request may hold. */
export async function showPayloads(parts: ShownPayloadParts, view: JobResponse): Promise<JobResponse> {
  const { dataFile } = view.request.payload;
  if (dataFile !== undefined) {
    const data = await valueOf(parts, view.id, dataFile);
    if (data !== undefined) view.request.payload.data = data as JsonObject;
  }
  const { result } = view;
  if (result?.dataFile !== undefined) {
    const data = await valueOf(parts, view.id, result.dataFile);
    if (data !== undefined) result.data = data;
  }
  return view;
}
