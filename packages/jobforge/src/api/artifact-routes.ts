import { ArtifactName, LEASE_TOKEN_HEADER, SHA256_HEADER } from '@controlplane/contracts';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
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

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
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
async function* bodyOf(request: IncomingMessage): AsyncGenerator<Uint8Array> {
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
  response.writeHead(200, [
    'content-type',
    artifact.contentType,
    'content-length',
    String(artifact.bytes),
    'content-disposition',
    `attachment; filename="${artifact.name}"`,
    SHA256_HEADER,
    artifact.sha256,
    ...SECURITY_HEADERS,
  ]);
  if (request.method === 'HEAD') return void response.end();
  // Whoever hangs up half-way wants no more of it.
  await pipeline(body, response).catch(() => response.destroy());
}
