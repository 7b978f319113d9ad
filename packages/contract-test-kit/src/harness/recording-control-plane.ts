import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import {
  CONTRACT_VERSION_CURRENT,
  DEFAULTS,
  envelopeOf,
  httpStatusOf,
  RunnerDeregistrationRequest,
  RunnerHeartbeat,
  RunnerRegistrationRequest,
  type ErrorCode,
} from '@controlplane/contracts';
import type { z } from 'zod';

export type MessageKind = 'register' | 'heartbeat' | 'deregister' | 'other';

/** One request that a runner sent to the control plane. */
export interface RecordedMessage {
  readonly kind: MessageKind;
  readonly method: string;
  readonly path: string;
  readonly text: string;
  readonly json: unknown;
  /** What its schema says against it, `path: message`; empty when it is valid. */
  readonly issues: readonly string[];
  /** Milliseconds on the kit's clock. */
  readonly at: number;
  /** How many of its kind came before it. */
  readonly index: number;
}

/** What is answered instead of the usual: an error of the catalogue, members in the reply, or nothing at all. */
export type Answer =
  | { readonly error: ErrorCode }
  | { readonly members: Readonly<Record<string, unknown>> }
  | 'drop';

/** How the control plane of one run differs from a friendly one. */
export interface ControlPlaneScript {
  readonly heartbeatIntervalMs?: number;
  /** Decides the answer to a message; undefined is the usual one. */
  readonly answer?: (message: RecordedMessage) => Answer | undefined;
}

export interface RecordingControlPlane {
  readonly url: string;
  readonly messages: readonly RecordedMessage[];
  of(kind: MessageKind): readonly RecordedMessage[];
  /** The first message that fits, among those that came and those to come; undefined after `timeoutMs`. */
  waitFor(
    fits: (message: RecordedMessage) => boolean,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<RecordedMessage | undefined>;
  /** The id that the newest registration was given. */
  runnerId(): string | undefined;
  close(): Promise<void>;
}

export interface ControlPlaneOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number | undefined;
  readonly script?: ControlPlaneScript | undefined;
}

/** Another process listens where the control plane was told to. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken';
  constructor(readonly port: number) {
    super(
      `port ${port} of 127.0.0.1 is taken: stop what listens there, or choose another --control-plane-port`,
    );
  }
}

/** Beats in a run come often, so that judging them takes seconds. */
const BEAT_MS = 400;

const SCHEMAS: Readonly<Record<MessageKind, z.ZodType | undefined>> = {
  register: RunnerRegistrationRequest,
  heartbeat: RunnerHeartbeat,
  deregister: RunnerDeregistrationRequest,
  other: undefined,
};

function kindOf(method: string, path: string): MessageKind {
  if (method !== 'POST') return 'other';
  if (path === '/runners/register') return 'register';
  if (path === '/runners/heartbeat') return 'heartbeat';
  return /^\/runners\/[^/]+\/deregister$/.test(path) ? 'deregister' : 'other';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function issuesOf(kind: MessageKind, text: string, json: unknown): string[] {
  const schema = SCHEMAS[kind];
  if (!schema) return [];
  // A deregistration has nothing that it must say.
  const value = kind === 'deregister' && text === '' ? {} : json;
  if (value === undefined) return ['(body): not JSON'];
  const result = schema.safeParse(value);
  return result.success
    ? []
    : result.error.issues.map((issue) => `${issue.path.join('.') || '(body)'}: ${issue.message}`);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

interface Waiter {
  readonly fits: (message: RecordedMessage) => boolean;
  readonly resolve: (message: RecordedMessage) => void;
}

/** A usual, friendly reply. */
function friendlyReply(
  kind: MessageKind,
  runnerId: string,
  script: ControlPlaneScript,
): Record<string, unknown> | undefined {
  const heartbeatIntervalMs = script.heartbeatIntervalMs ?? BEAT_MS;
  if (kind === 'register') {
    const limits = { maxBodyBytes: DEFAULTS.maxBodyBytes, maxLogBytes: DEFAULTS.maxLogBytes };
    return {
      runnerId,
      registeredAt: new Date().toISOString(),
      heartbeatIntervalMs,
      leaseMs: DEFAULTS.leaseMs,
      limits,
      contractVersion: CONTRACT_VERSION_CURRENT,
    };
  }
  if (kind === 'heartbeat') return { known: true, receiving: true, directives: [] };
  return kind === 'deregister' ? { runnerId, deregistered: true } : undefined;
}

function reply(
  response: ServerResponse,
  usual: Record<string, unknown> | undefined,
  answer: Answer | undefined,
): void {
  if (answer === 'drop') {
    response.socket?.destroy();
    return;
  }
  const failure: ErrorCode | undefined =
    answer && 'error' in answer ? answer.error : usual ? undefined : 'ROUTE_NOT_FOUND';
  if (failure) {
    const error = envelopeOf(failure, { service: 'contract-test-kit' });
    sendJson(response, httpStatusOf(failure), { success: false, error });
    return;
  }
  sendJson(response, 200, { ...usual, ...(answer && 'members' in answer ? answer.members : {}) });
}

/** Messages in the order they came, and those who wait for one. */
function createRecord() {
  const messages: RecordedMessage[] = [];
  const waiters = new Set<Waiter>();
  const of = (kind: MessageKind): RecordedMessage[] => messages.filter((message) => message.kind === kind);
  return {
    messages,
    of,
    add(message: RecordedMessage): void {
      messages.push(message);
      for (const waiter of waiters) if (waiter.fits(message)) waiter.resolve(message);
    },
    waitFor: (
      fits: Waiter['fits'],
      { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
    ) =>
      new Promise<RecordedMessage | undefined>((resolve) => {
        const found = messages.find(fits);
        if (found) return resolve(found);
        const settle = (message: RecordedMessage | undefined): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', giveUp);
          waiters.delete(waiter);
          resolve(message);
        };
        const giveUp = (): void => settle(undefined);
        const waiter: Waiter = { fits, resolve: settle };
        const timer = setTimeout(giveUp, timeoutMs);
        signal?.addEventListener('abort', giveUp);
        waiters.add(waiter);
      }),
  };
}

/**
 * Starts a control plane on 127.0.0.1 that answers as the contract says, writes down every message and
 * can be told to answer otherwise.
 */
export async function startRecordingControlPlane(
  options: ControlPlaneOptions = {},
): Promise<RecordingControlPlane> {
  const script = options.script ?? {};
  const record = createRecord();
  let runnerId: string | undefined;

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await readBody(request);
    const method = request.method ?? 'GET';
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const kind = kindOf(method, path);
    const json = parse(text);
    const message = {
      kind,
      method,
      path,
      text,
      json,
      issues: issuesOf(kind, text, json),
      at: performance.now(),
      index: record.of(kind).length,
    };
    const answer = script.answer?.(message);
    if (kind === 'register' && (answer === undefined || (answer !== 'drop' && 'members' in answer)))
      runnerId ??= `kit-runner-${randomUUID()}`;
    reply(response, friendlyReply(kind, runnerId ?? 'unknown', script), answer);
    record.add(message);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.socket?.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new PortTaken(options.port ?? 0) : error);
    });
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    messages: record.messages,
    of: record.of,
    waitFor: record.waitFor,
    runnerId: () => runnerId,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
