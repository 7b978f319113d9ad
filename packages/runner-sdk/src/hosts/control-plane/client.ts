import {
  Artifact,
  ENDPOINTS,
  FileReference,
  endpointPath,
  LEASE_TOKEN_HEADER,
  type EndpointName,
  type RequestOf,
  type ResponseOf,
} from '@controlplane/contracts';
import type { FileReceiver } from '../../transport/file-receiver.js';
import type { FileSender } from '../../transport/file-sender.js';
import type { HttpClient } from '../../transport/http-client.js';
import type { Credentials } from './credentials.js';
import { notReached, refusalOfReply, unreachable, type Answer, type Refusal } from '../refusals.js';

type Ask<Name extends EndpointName> = (
  body: RequestOf<Name>,
  signal: AbortSignal,
) => Promise<Answer<ResponseOf<Name>>>;

type AskFor<Name extends EndpointName> = (
  id: string,
  body: RequestOf<Name>,
  signal: AbortSignal,
) => Promise<Answer<ResponseOf<Name>>>;

/** What a runner asks of the control plane. */
export interface ControlPlaneClient {
  readonly register: Ask<'registerRunner'>;
  readonly heartbeat: Ask<'heartbeat'>;
  readonly deregister: AskFor<'deregisterRunner'>;
  readonly poll: AskFor<'pollRunner'>;
  readonly accept: AskFor<'acceptExecution'>;
  readonly recordEvents: AskFor<'recordEvents'>;
  readonly putArtifact: (file: SentFile, signal: AbortSignal) => Promise<Answer<Artifact>>;
  readonly putResult: (
    result: Pick<SentFile, 'executionId' | 'leaseToken' | 'body'>,
    signal: AbortSignal,
  ) => Promise<Answer<FileReference>>;
  readonly getFile: (file: AskedFile, signal: AbortSignal) => Promise<Answer<AsyncIterable<Uint8Array>>>;
}

/** A file that an execution asks for. */
export interface AskedFile {
  readonly sha256: string;
  readonly executionId: string;
  readonly leaseToken: string;
}

/** A file on its way to the job of an execution. */
export interface SentFile {
  readonly executionId: string;
  readonly leaseToken: string;
  readonly name: string;
  readonly contentType: string;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Milliseconds for one poll, its hold and its answer included. */
const POLL_MS = 40_000;

function toRefusal({ url, status, headers }: Response, body: unknown): Refusal {
  const unreadable = `${url} answered ${status} without an error envelope; is it a JobForge?`;
  return refusalOfReply({ body, retryAfter: headers.get('retry-after') }, unreadable);
}

interface Question {
  readonly body: unknown;
  readonly signal: AbortSignal;
  readonly params?: Readonly<Record<string, string>>;
}

/** How requests are sent: those that are JSON, and files. */
export interface ClientTransport {
  readonly http: HttpClient;
  readonly sendFile: FileSender;
  readonly receiveFile: FileReceiver;
}

/** What a response comes to. */
async function answerOf<Value>(
  response: Response,
  schema: { safeParse(value: unknown): { success: true; data: unknown } | { success: false; error: Error } },
): Promise<Answer<Value>> {
  const reply: unknown = await response.json().catch(() => undefined);
  if (!response.ok) return toRefusal(response, reply);
  const parsed = schema.safeParse(reply);
  if (parsed.success) return { ok: true, value: parsed.data as Value };
  const message = `${response.url} answered what the contract does not allow: ${parsed.error.message}`;
  return notReached('UNREADABLE', message);
}

type Authorize = (name: EndpointName) => Promise<Record<string, string>>;

/** What carries files. */
function fileCalls(
  { sendFile, receiveFile }: Omit<ClientTransport, 'http'>,
  authorize: Authorize,
): Pick<ControlPlaneClient, 'putArtifact' | 'putResult' | 'getFile'> {
  return {
    async putArtifact({ executionId, leaseToken, name, contentType, body }, signal) {
      try {
        const path = endpointPath('putArtifact', { id: executionId, name }).slice(1);
        const headers = {
          ...(await authorize('putArtifact')),
          [LEASE_TOKEN_HEADER]: leaseToken,
          'content-type': contentType,
        };
        return await answerOf(await sendFile(path, { method: 'PUT', headers, body, signal }), Artifact);
      } catch (error) {
        return unreachable(error);
      }
    },
    async putResult({ executionId, leaseToken, body }, signal) {
      try {
        const path = endpointPath('putResult', { id: executionId }).slice(1);
        const headers = {
          ...(await authorize('putResult')),
          [LEASE_TOKEN_HEADER]: leaseToken,
          'content-type': 'application/json',
        };
        return await answerOf(await sendFile(path, { method: 'PUT', headers, body, signal }), FileReference);
      } catch (error) {
        return unreachable(error);
      }
    },
    async getFile({ sha256, executionId, leaseToken }, signal) {
      try {
        const path = `${endpointPath('getFile', { sha256 }).slice(1)}?execution=${encodeURIComponent(executionId)}`;
        const headers = { ...(await authorize('getFile')), [LEASE_TOKEN_HEADER]: leaseToken };
        const response = await receiveFile(path, { headers, signal });
        if (!response.ok) return toRefusal(response, await response.json().catch(() => undefined));
        return { ok: true, value: (response.body ?? []) as AsyncIterable<Uint8Array> };
      } catch (error) {
        return unreachable(error);
      }
    },
  };
}

/** Makes the client. Its functions never reject: what goes wrong is an answer. */
export function createControlPlaneClient(
  { http, sendFile, receiveFile }: ClientTransport,
  credentials: Credentials,
): ControlPlaneClient {
  async function authorize(name: EndpointName): Promise<Record<string, string>> {
    const token = name === 'registerRunner' ? await credentials.forRegistration() : credentials.current();
    return token === undefined ? {} : { authorization: token };
  }

  async function ask<Name extends EndpointName>(
    name: Name,
    { body, signal, params = {} }: Question,
  ): Promise<Answer<ResponseOf<Name>>> {
    try {
      const response = await http(endpointPath(name, params).slice(1), {
        method: ENDPOINTS[name].method,
        json: body,
        signal,
        headers: await authorize(name),
        ...(name === 'pollRunner' ? { timeout: POLL_MS } : {}),
      });
      return await answerOf(response, ENDPOINTS[name].response);
    } catch (error) {
      return unreachable(error);
    }
  }

  const askFor =
    <Name extends EndpointName>(name: Name): AskFor<Name> =>
    (id, body, signal) =>
      ask(name, { body, signal, params: { id } });
  return {
    register: (body, signal) => ask('registerRunner', { body, signal }),
    heartbeat: (body, signal) => ask('heartbeat', { body, signal }),
    deregister: askFor('deregisterRunner'),
    poll: askFor('pollRunner'),
    accept: askFor('acceptExecution'),
    recordEvents: askFor('recordEvents'),
    ...fileCalls({ sendFile, receiveFile }, authorize),
  };
}
