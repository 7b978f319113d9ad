import {
  AcceptExecutionRequest,
  PollRequest,
  RecordEventsRequest,
  RunnerDeregistrationRequest,
  RunnerFrame,
  RunnerHeartbeat,
  RunnerRegistrationRequest,
} from '@controlplane/contracts';
import type { z } from 'zod';

/** What a runner may say to a control plane; `connect` is the request that opens a socket. */
export type MessageKind =
  | 'register'
  | 'heartbeat'
  | 'deregister'
  | 'connect'
  | 'poll'
  | 'accept'
  | 'events'
  | 'other';

/** One request, or one frame of a socket, that a runner sent to the control plane. */
export interface RecordedMessage {
  readonly kind: MessageKind;
  /** `FRAME` for what came over a socket. */
  readonly method: string;
  /** Of a frame its type. */
  readonly path: string;
  readonly text: string;
  /** Of the frames `register` and `heartbeat` what they carry, as the same request would. */
  readonly json: unknown;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The query of the request, as it came. */
  readonly query: string;
  /** Which of the runner's sockets it came over, counted from 0. */
  readonly connection?: number | undefined;
  /** What its schema says against it, `path: message`; empty when it is valid. */
  readonly issues: readonly string[];
  /** Milliseconds on the kit's clock. */
  readonly at: number;
  /** How many of its kind came before it. */
  readonly index: number;
}

/** A message before it has its place in the record. */
export type ArrivedMessage = Omit<RecordedMessage, 'index' | 'issues' | 'at' | 'query' | 'json'> &
  Partial<Pick<RecordedMessage, 'query' | 'json'>>;

const REQUESTS: Readonly<Partial<Record<MessageKind, z.ZodType>>> = {
  register: RunnerRegistrationRequest,
  heartbeat: RunnerHeartbeat,
  deregister: RunnerDeregistrationRequest,
  poll: PollRequest,
  accept: AcceptExecutionRequest,
  events: RecordEventsRequest,
};

const PATHS: readonly (readonly [RegExp, MessageKind])[] = [
  [/^\/runners\/register$/, 'register'],
  [/^\/runners\/heartbeat$/, 'heartbeat'],
  [/^\/runners\/[^/]+\/deregister$/, 'deregister'],
  [/^\/runners\/[^/]+\/poll$/, 'poll'],
  [/^\/executions\/[^/]+\/accept$/, 'accept'],
  [/^\/executions\/[^/]+\/events$/, 'events'],
];

/** What a request is about. */
export function kindOfRequest(method: string, path: string): MessageKind {
  if (method !== 'POST') return 'other';
  return PATHS.find(([pattern]) => pattern.test(path))?.[1] ?? 'other';
}

/** JSON, or undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const issuesBy = (schema: z.ZodType, value: unknown): string[] =>
  schema
    .safeParse(value)
    .error?.issues.map((issue) => `${issue.path.join('.') || '(body)'}: ${issue.message}`) ?? [];

function issuesOf({ kind, method, text, json }: ArrivedMessage): string[] {
  if (method === 'FRAME') {
    const frame = parseJson(text);
    return frame === undefined ? ['(frame): not JSON'] : issuesBy(RunnerFrame, frame);
  }
  const schema = REQUESTS[kind];
  if (!schema) return [];
  // A deregistration has nothing that it must say.
  const value = kind === 'deregister' && text === '' ? {} : json;
  return value === undefined ? ['(body): not JSON'] : issuesBy(schema, value);
}

interface Waiter {
  readonly fits: (message: RecordedMessage) => boolean;
  readonly resolve: (message: RecordedMessage) => void;
}

/** Messages in the order they came, and those who wait for one. */
export function createRecord() {
  const messages: RecordedMessage[] = [];
  const waiters = new Set<Waiter>();
  const of = (kind: MessageKind): RecordedMessage[] => messages.filter((message) => message.kind === kind);
  /** How many of a kind were seen; a message is seen before it is answered, and recorded after. */
  const seen = new Map<MessageKind, number>();
  return {
    messages,
    of,
    /** Gives a message its time and number, and says what its schema has against it. */
    see(arrived: ArrivedMessage): RecordedMessage {
      const index = seen.get(arrived.kind) ?? 0;
      seen.set(arrived.kind, index + 1);
      const json = 'json' in arrived ? arrived.json : parseJson(arrived.text);
      const message = { query: '', ...arrived, json };
      return { ...message, issues: issuesOf(message), at: performance.now(), index };
    },
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

export type MessageRecord = ReturnType<typeof createRecord>;
