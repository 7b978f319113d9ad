import { SwampHandle, SwampWriter, type SwampResult } from '@controlplane/contracts/swamp';
import { createHttpClient, type HttpClient } from '../../transport/http-client.js';
import { unreachable, notReached, type Answer } from '../refusals.js';

type Output = SwampResult['outputs'][number];

/** Milliseconds for one request, its answer included. */
const REQUEST_MS = 60_000;

/** What is written of a command that succeeded. */
export interface ShellData {
  readonly command: string;
  readonly exitCode: number;
  readonly durationMs: number;
  readonly stdout: string;
  readonly stderr: string;
  /** ISO 8601. */
  readonly executedAt: string;
}

/** Writes results where the control plane keeps them. */
export interface DataPlane {
  /** Resolves with what was written: a resource with all of it, and a file with the output. Never rejects. */
  write(data: ShellData, signal: AbortSignal): Promise<Answer<Output[]>>;
}

/**
 * Where the result of a dispatch is written. The credential is for the control plane: where it goes is said by whoever
 * runs the runner, not by a dispatch.
 * @param asked - the address that the dispatch names
 * @throws Error when that is of another origin than the one that was dialled
 */
export function dataPlaneUrlOf(
  { url, dataPlaneUrl }: { readonly url: string; readonly dataPlaneUrl: string | undefined },
  asked: string | undefined,
): string {
  if (dataPlaneUrl !== undefined) return dataPlaneUrl;
  const own = url.replace(/^ws/, 'http').replace(/\/+$/, '');
  if (asked === undefined) return own;
  const wanted = asked.replace(/^ws/, 'http');
  const { origin } = new URL(own);
  if (new URL(wanted).origin === origin) return wanted;
  throw new Error(
    `the dispatch names the data plane ${asked}, which is of another origin than ${origin}; allow it by the option "dataPlaneUrl"`,
  );
}

interface Sent {
  readonly http: HttpClient;
  readonly credential: string;
  readonly signal: AbortSignal;
}

async function post(path: string, body: { json: unknown } | { body: string }, sent: Sent): Promise<unknown> {
  const { http, credential, signal } = sent;
  const headers = { authorization: `Bearer ${credential}` };
  const response = await http(path, { method: 'POST', headers, signal, ...body });
  if (response.ok) return response.json();
  throw new Error(`${path} was answered ${response.status}: ${(await response.text()).slice(0, 500)}`);
}

async function writeBoth(data: ShellData, sent: Sent): Promise<Output[]> {
  const { stdout, stderr } = data;
  const parts = [stdout && `[stdout]\n${stdout}`, stderr && `[stderr]\n${stderr}`];
  const resource = SwampHandle.parse(
    await post('data/resource', { json: { specName: 'result', name: 'result', data } }, sent),
  );
  const writer = SwampWriter.parse(
    await post('data/writers', { json: { specName: 'log', name: 'log' } }, sent),
  );
  const path = `data/writers/${encodeURIComponent(writer.writerId)}/content`;
  const file = SwampHandle.parse(await post(path, { body: parts.filter(Boolean).join('\n') }, sent));
  return [
    { ...resource, type: 'resource' },
    { ...file, type: 'file' },
  ];
}

/**
 * Makes the writer of one dispatch.
 * @param credential - asked for each write: a session's is renewed
 */
export function createDataPlane(
  url: string,
  credential: () => string | undefined,
  fetch: typeof globalThis.fetch | undefined,
): DataPlane {
  const http = createHttpClient({ baseUrl: url, timeoutMs: REQUEST_MS, fetch });
  return {
    async write(data, signal) {
      const given = credential();
      if (given === undefined) return notReached('UNREACHABLE', 'there is no session to write with');
      try {
        return { ok: true, value: await writeBoth(data, { http, credential: given, signal }) };
      } catch (error) {
        return unreachable(error);
      }
    },
  };
}
