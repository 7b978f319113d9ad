import {
  ENDPOINTS,
  endpointPath,
  type EndpointName,
  type RequestOf,
  type ResponseOf,
} from '@controlplane/contracts';
import type { HttpClient } from '../../transport/http-client.js';
import type { Credentials } from './credentials.js';
import { notReached, refusalOfReply, type Refusal } from './refusals.js';

/** What the control plane answered. */
export type Answer<Value> = { readonly ok: true; readonly value: Value } | Refusal;

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
}

/** Milliseconds for one poll, its hold and its answer included. */
const POLL_MS = 40_000;

function toRefusal({ url, status, headers }: Response, body: unknown): Refusal {
  const unreadable = `${url} answered ${status} without an error envelope; is it a JobForge?`;
  return refusalOfReply({ body, retryAfter: headers.get('retry-after') }, unreadable);
}

function unreachable(error: unknown): Refusal {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  const why =
    cause instanceof Error ? `${message}: ${cause.message || String(Reflect.get(cause, 'code'))}` : message;
  return notReached('UNREACHABLE', why);
}

interface Question {
  readonly body: unknown;
  readonly signal: AbortSignal;
  readonly params?: Readonly<Record<string, string>>;
}

/** Makes the client. Its functions never reject: what goes wrong is an answer. */
export function createControlPlaneClient(http: HttpClient, credentials: Credentials): ControlPlaneClient {
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
      const reply: unknown = await response.json().catch(() => undefined);
      if (!response.ok) return toRefusal(response, reply);
      const parsed = ENDPOINTS[name].response.safeParse(reply);
      if (parsed.success) return { ok: true, value: parsed.data as ResponseOf<Name> };
      const message = `${response.url} answered what the contract does not allow: ${parsed.error.message}`;
      return notReached('UNREADABLE', message);
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
  };
}
