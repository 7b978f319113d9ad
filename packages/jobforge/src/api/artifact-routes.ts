import { ArtifactName, LEASE_TOKEN_HEADER, SHA256_HEADER } from '@controlplane/contracts';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { FileDownload } from '../model/file-operations.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { Operations } from '../model/operations.js';
import { CallerGone, readJson } from './body-reader.js';
import { SECURITY_HEADERS, sendJson } from './json-reply.js';
import { idOf } from './request-parsing.js';
import type { Exchange } from './served-endpoints.js';

const MAX_TYPE_LENGTH = 256;
const ANY_TYPE = 'application/octet-stream';
/** What a header may hold: a type that holds more is replaced. */
const PRINTABLE = /^[\x20-\x7e]+$/;

export function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function nameOf(params: Exchange['params'], isSent: boolean): string {
  const parsed = ArtifactName.safeParse(params['name']);
  if (parsed.success) return parsed.data;
  const message = `${JSON.stringify((params['name'] ?? '').slice(0, 128))} cannot be the name of an artifact: ${parsed.error.issues[0]?.message ?? ''}.`;
  throw new JobForgeError(isSent ? 'VALIDATION_ERROR' : 'ARTIFACT_NOT_FOUND', { message });
}

/** The body as it comes; ends in an error where its sender hangs up. */
export async function* bodyOf(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    // What is refused half-way is answered: the request must outlive its reader.
    yield* request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch {
    throw new CallerGone();
  }
  if (!request.complete) throw new CallerGone();
}

/** Takes a file of an execution. */
export async function takeArtifact(
  { request, response, params }: Exchange,
  operations: Operations,
): Promise<void> {
  const id = idOf(params, 'EXECUTION_NOT_FOUND');
  const type = headerOf(request, 'content-type');
  const artifact = await operations.putArtifact(id, {
    name: nameOf(params, true),
    contentType:
      type !== undefined && type.length <= MAX_TYPE_LENGTH && PRINTABLE.test(type) ? type : ANY_TYPE,
    leaseToken: headerOf(request, LEASE_TOKEN_HEADER),
    sha256: headerOf(request, SHA256_HEADER),
    body: bodyOf(request),
  });
  sendJson(response, 201, artifact);
}

/** Gives a file of a job as it was left: never shown by a browser, whatever its type says. */
export async function giveArtifact(
  { request, response, params }: Exchange,
  operations: Operations,
): Promise<void> {
  const id = idOf(params, 'JOB_NOT_FOUND');
  await readJson(request);
  const name = nameOf(params, false);
  const { artifact, body } = await operations.getArtifact(id, name);
  const { bytes, sha256, contentType } = artifact;
  const headers = ['content-disposition', `attachment; filename="${artifact.name}"`];
  await sendBytes({ request, response }, { bytes, sha256, contentType, body, headers });
}

/** Bytes on their way out, and what is said of them. */
interface SentBytes extends FileDownload {
  readonly headers: readonly string[];
}

/** Sends bytes as they are. */
export async function sendBytes(
  { request, response }: Pick<Exchange, 'request' | 'response'>,
  { bytes, sha256, contentType, body, headers }: SentBytes,
): Promise<void> {
  const about = ['content-type', contentType, 'content-length', String(bytes), SHA256_HEADER, sha256];
  response.writeHead(200, [...about, ...headers, ...SECURITY_HEADERS]);
  if (request.method === 'HEAD') return void response.end();
  // Whoever hangs up half-way wants no more of it.
  await pipeline(body, response).catch(() => response.destroy());
}
