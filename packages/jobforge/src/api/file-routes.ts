import { FileQuery, LEASE_TOKEN_HEADER, Sha256 } from '@controlplane/contracts';
import { actorOf, type Caller } from '../model/caller.js';
import type { FileSource } from '../model/file-operations.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { Operations } from '../model/operations.js';
import { bodyOf, headerOf, sendBytes } from './artifact-routes.js';
import { readJson } from './body-reader.js';
import { sendJson } from './json-reply.js';
import { idOf, parseAs, queryOf } from './request-parsing.js';
import { maySee } from './scope.js';
import type { Exchange } from './served-endpoints.js';

function sha256Of(params: Exchange['params'], code: 'VALIDATION_ERROR' | 'FILE_NOT_FOUND'): string {
  const parsed = Sha256.safeParse(params['sha256']);
  if (parsed.success) return parsed.data;
  const said = JSON.stringify((params['sha256'] ?? '').slice(0, 128));
  throw new JobForgeError(code, {
    message: `${said} cannot be the SHA-256 of a file: ${parsed.error.issues[0]?.message ?? ''}.`,
  });
}

/** Takes a file that its caller will name in a job. */
export async function takeFile(
  { request, response, params, caller }: Exchange,
  operations: Operations,
): Promise<void> {
  const sha256 = sha256Of(params, 'VALIDATION_ERROR');
  sendJson(response, 201, await operations.putFile({ sha256, body: bodyOf(request) }, actorOf(caller)));
}

/** Takes the result of an execution. */
export async function takeResult(
  { request, response, params }: Exchange,
  operations: Operations,
): Promise<void> {
  const id = idOf(params, 'EXECUTION_NOT_FOUND');
  const upload = { leaseToken: headerOf(request, LEASE_TOKEN_HEADER), body: bodyOf(request) };
  sendJson(response, 201, await operations.putResult(id, upload));
}

const mayAskAsClient = ({ kind }: Caller): boolean => kind === 'api' || kind === 'anyone';
const mayAskAsRunner = ({ kind }: Caller): boolean => kind !== 'api';

/** What a caller reads by; whatever it has no right to is not there for it. */
async function sourceOf(
  { request, caller }: Exchange,
  { execution, job }: FileQuery,
  operations: Operations,
): Promise<FileSource> {
  if (execution !== undefined && mayAskAsRunner(caller)) {
    operations.checkOwner(caller, { executionId: execution });
    return { executionId: execution, leaseToken: headerOf(request, LEASE_TOKEN_HEADER) };
  }
  if (execution === undefined && mayAskAsClient(caller)) {
    if (job === undefined) return { uploadedBy: actorOf(caller) };
    if (maySee(caller, await operations.showJob(job, { plain: true }))) return { jobId: job };
  }
  throw new JobForgeError('FILE_NOT_FOUND');
}

/** Gives a file to whoever may read it. */
export async function giveFile(exchange: Exchange, operations: Operations): Promise<void> {
  const { request, params } = exchange;
  await readJson(request);
  const sha256 = sha256Of(params, 'FILE_NOT_FOUND');
  const query = parseAs(FileQuery, queryOf(request.url), { name: 'getFile', part: 'query' });
  const file = await operations.getFile(sha256, await sourceOf(exchange, query, operations));
  await sendBytes(exchange, { ...file, headers: ['content-disposition', 'attachment'] });
}
