import {
  ENDPOINTS,
  endpointPath,
  ErrorEnvelope,
  type EndpointName,
  type RequestOf,
  type ResponseOf,
} from '@controlplane/contracts';
import type { HttpClient } from '../../transport/http-client.js';

/** Why the control plane did not do what was asked. */
export interface Refusal {
  readonly ok: false;
  /** Of the catalogue, or `UNREACHABLE` or `UNREADABLE` where there was no readable answer. */
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
}

/** What the control plane answered. */
export type Answer<Value> = { readonly ok: true; readonly value: Value } | Refusal;

type Asked = 'registerRunner' | 'heartbeat' | 'deregisterRunner';

/** What a runner asks of the control plane. */
export interface ControlPlaneClient {
  register(
    body: RequestOf<'registerRunner'>,
    signal: AbortSignal,
  ): Promise<Answer<ResponseOf<'registerRunner'>>>;
  heartbeat(body: RequestOf<'heartbeat'>, signal: AbortSignal): Promise<Answer<ResponseOf<'heartbeat'>>>;
  deregister(
    runnerId: string,
    body: RequestOf<'deregisterRunner'>,
    signal: AbortSignal,
  ): Promise<Answer<ResponseOf<'deregisterRunner'>>>;
}

function retryAfterMs(response: Response, envelope: ErrorEnvelope | undefined): number | undefined {
  const header = response.headers.get('retry-after');
  const seconds = envelope?.retryAfter ?? (header === null ? Number.NaN : Number(header));
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

function toRefusal(response: Response, body: unknown): Refusal {
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined;
  const envelope = ErrorEnvelope.safeParse(error).data;
  return {
    ok: false,
    code: envelope?.code ?? 'UNREADABLE',
    message:
      envelope?.message ??
      `${response.url} answered ${response.status} without an error envelope; is it a JobForge?`,
    retryAfterMs: retryAfterMs(response, envelope),
  };
}

function unreachable(error: unknown): Refusal {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  const why =
    cause instanceof Error ? `${message}: ${cause.message || String(Reflect.get(cause, 'code'))}` : message;
  return { ok: false, code: 'UNREACHABLE', message: why, retryAfterMs: undefined };
}

/** Makes the client. Its functions never reject: what goes wrong is an answer. */
export function createControlPlaneClient(http: HttpClient): ControlPlaneClient {
  async function ask<Name extends Asked & EndpointName>(
    name: Name,
    body: unknown,
    options: { readonly signal: AbortSignal; readonly params?: Readonly<Record<string, string>> },
  ): Promise<Answer<ResponseOf<Name>>> {
    try {
      const path = endpointPath(name, options.params).slice(1);
      const response = await http(path, {
        method: ENDPOINTS[name].method,
        json: body,
        signal: options.signal,
      });
      const reply: unknown = await response.json().catch(() => undefined);
      if (!response.ok) return toRefusal(response, reply);
      const parsed = ENDPOINTS[name].response.safeParse(reply);
      if (parsed.success) return { ok: true, value: parsed.data as ResponseOf<Name> };
      const message = `${response.url} answered what the contract does not allow: ${parsed.error.message}`;
      return { ok: false, code: 'UNREADABLE', message, retryAfterMs: undefined };
    } catch (error) {
      return unreachable(error);
    }
  }
  return {
    register: (body, signal) => ask('registerRunner', body, { signal }),
    heartbeat: (body, signal) => ask('heartbeat', body, { signal }),
    deregister: (runnerId, body, signal) =>
      ask('deregisterRunner', body, { signal, params: { id: runnerId } }),
  };
}
