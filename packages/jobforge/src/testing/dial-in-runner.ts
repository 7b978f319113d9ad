import {
  RunnerRegistrationRequest,
  WEBSOCKET_PROTOCOL,
  type RunnerRegistrationResponse,
} from '@controlplane/contracts';
import { WebSocket } from 'ws';
import { ECHO } from './stub-runner.js';

/** One execution as it was offered to a stub that dials in. */
export interface Offered {
  readonly executionId: string;
  readonly jobId: string;
  readonly leaseToken: string;
  readonly attempt: number;
  readonly payload: Record<string, unknown>;
}

/** A frame as the tests read it. */
export interface ReceivedFrame {
  readonly type: string;
  readonly registration?: RunnerRegistrationResponse;
  readonly error?: { readonly code: string; readonly retryable: boolean };
  readonly executions?: readonly (Offered & { readonly code?: string; readonly seq?: number })[];
  readonly directives?: readonly {
    readonly kind: string;
    readonly executionId?: string;
    readonly reason?: string;
  }[];
  readonly reply?: { readonly known: boolean; readonly receiving: boolean };
}

/** A runner that dials in, whose every word the test decides. */
export interface DialInRunner {
  readonly socket: WebSocket;
  readonly frames: readonly ReceivedFrame[];
  /** Resolves with the next frame of a type that nobody has taken yet. */
  next(type: string): Promise<ReceivedFrame>;
  /** Resolves with the next execution that is offered. */
  offer(): Promise<Offered>;
  send(frame: object): void;
  register(overrides?: Record<string, unknown>): Promise<RunnerRegistrationResponse>;
  /** Claims an execution and resolves with the verdict. */
  accept(offered: Offered): Promise<string | undefined>;
  tell(offered: Offered, ...events: object[]): void;
  succeed(offered: Offered, data?: unknown): void;
  /** Resolves with the code once it is closed. */
  readonly closed: Promise<number>;
  cut(): void;
}

export const dialInRegistration = (overrides: Record<string, unknown> = {}): RunnerRegistrationRequest =>
  RunnerRegistrationRequest.parse({
    ...{ name: 'dialler', version: '1.0.0', contractVersion: '1.0.0', capabilities: [ECHO] },
    ...{ instanceId: 'i1', machineId: 'm1', delivery: { kind: 'websocket' }, ...overrides },
  });

/** Events as they go over the wire, numbered from `from`. */
export const eventsOf = (
  { executionId }: Pick<Offered, 'executionId'>,
  events: readonly object[],
  from = 0,
): object[] =>
  events.map((event, index) => ({ executionId, seq: from + index, at: new Date().toISOString(), ...event }));

interface Inbox {
  readonly frames: ReceivedFrame[];
  next(type: string): Promise<ReceivedFrame>;
}

function createInbox(socket: WebSocket): Inbox {
  const frames: ReceivedFrame[] = [];
  const untaken: ReceivedFrame[] = [];
  let waiting: { type: string; resolve: (frame: ReceivedFrame) => void }[] = [];
  socket.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as ReceivedFrame;
    frames.push(frame);
    const waiter = waiting.find(({ type }) => type === frame.type);
    if (waiter === undefined) return void untaken.push(frame);
    waiting = waiting.filter((other) => other !== waiter);
    waiter.resolve(frame);
  });
  return {
    frames,
    next: (type) =>
      new Promise((resolve) => {
        const index = untaken.findIndex((frame) => frame.type === type);
        const [there] = index < 0 ? [] : untaken.splice(index, 1);
        if (there === undefined) waiting.push({ type, resolve });
        else resolve(there);
      }),
  };
}

/** Opens a socket without registering. */
export async function dial(
  url: string,
  options: { readonly autoPong?: boolean; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<DialInRunner> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/runners/connect`, WEBSOCKET_PROTOCOL, options);
  const inbox = createInbox(socket);
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  const offers: Offered[] = [];
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.on('error', reject);
  });
  const runner: DialInRunner = {
    socket,
    frames: inbox.frames,
    closed,
    next: inbox.next,
    async offer() {
      if (offers.length === 0) offers.push(...((await inbox.next('offers')).executions ?? []));
      const [first] = offers.splice(0, 1);
      if (first === undefined) throw new Error('an empty offer came');
      return first;
    },
    send: (frame) => socket.send(JSON.stringify(frame)),
    async register(overrides) {
      runner.send({ type: 'register', registration: dialInRegistration(overrides) });
      const { registration } = await inbox.next('ready');
      if (registration === undefined) throw new Error('ready came without a registration');
      return registration;
    },
    async accept({ executionId, leaseToken }) {
      runner.send({ type: 'accept', executions: [{ executionId, leaseToken }] });
      const { executions } = await inbox.next('confirmed');
      return executions?.find((one) => one.executionId === executionId)?.code;
    },
    tell: ({ executionId, leaseToken }, ...events) =>
      runner.send({ type: 'events', executions: [{ executionId, leaseToken, events }] }),
    succeed(offered, data = { echoed: offered.payload }) {
      const [event] = eventsOf(offered, [{ type: 'succeeded', data, executionTimeMs: 1 }], 1);
      if (event !== undefined) runner.tell(offered, event);
    },
    cut: () => socket.terminate(),
  };
  return runner;
}
