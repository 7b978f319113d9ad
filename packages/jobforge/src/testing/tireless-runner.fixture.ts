import { WEBSOCKET_PROTOCOL } from '@controlplane/contracts';
import { WebSocket } from 'ws';
import { dialInRegistration, eventsOf, type Offered, type ReceivedFrame } from './dial-in-runner.js';
import { ECHO } from './stub-runner.js';

/** What tireless runners did, all of them together, by job. */
export interface Diary {
  /** How often each job was begun. */
  readonly began: Map<string, number>;
  /** Executions whose end was answered: with an acknowledgement, or with a code. */
  readonly answered: Map<string, { readonly executionId: string; readonly code: string | undefined }>;
}

export const newDiary = (): Diary => ({ began: new Map(), answered: new Map() });

export interface TirelessOptions {
  readonly name: string;
  /** JobForges, in the order in which they are tried. */
  readonly urls: readonly string[];
  readonly slots: number;
  readonly diary: Diary;
}

const BEAT_MS = 2_000;
const RECONNECT_MS = 100;

type Say = (frame: object) => void;
type Executions = NonNullable<ReceivedFrame['executions']>;

/** What one runner has: it was offered, or has ended and is not acknowledged. */
interface Hands {
  readonly held: Map<string, Offered>;
  readonly ended: Map<string, Offered>;
}

function report(say: Say, executions: readonly Offered[]): void {
  if (executions.length === 0) return;
  const events = (offered: Offered): object[] =>
    eventsOf(offered, [{ type: 'succeeded', data: { by: offered.executionId }, executionTimeMs: 1 }], 1);
  say({
    type: 'events',
    executions: executions.map((offered) => {
      const { executionId, leaseToken } = offered;
      return { executionId, leaseToken, events: events(offered) };
    }),
  });
}

/** Ends at once what it may begin. */
function onConfirmed({ held, ended }: Hands, verdicts: Executions, { began }: Diary): Offered[] {
  return verdicts.flatMap(({ executionId, code }) => {
    const offered = held.get(executionId);
    held.delete(executionId);
    if (offered === undefined || code !== undefined) return [];
    began.set(offered.jobId, (began.get(offered.jobId) ?? 0) + 1);
    ended.set(executionId, offered);
    return offered;
  });
}

function onAcknowledged({ ended }: Hands, answers: Executions, { answered }: Diary): void {
  for (const { executionId, code, seq = 0 } of answers) {
    const offered = ended.get(executionId);
    if (offered === undefined || (code === undefined && seq < 1)) continue;
    ended.delete(executionId);
    answered.set(offered.jobId, { executionId, code });
  }
}

function onFrame(hands: Hands, frame: ReceivedFrame, { say, diary }: { say: Say; diary: Diary }): void {
  const { type, executions = [] } = frame;
  if (type === 'ready') report(say, [...hands.ended.values()]);
  else if (type === 'confirmed') report(say, onConfirmed(hands, executions, diary));
  else if (type === 'acknowledged') onAcknowledged(hands, executions, diary);
  else if (type === 'offers') {
    for (const offered of executions) hands.held.set(offered.executionId, offered);
    say({
      type: 'accept',
      executions: executions.map(({ executionId, leaseToken }) => ({ executionId, leaseToken })),
    });
  }
}

/**
 * Starts a runner that ends whatever it is offered at once, keeps what it said until that is answered, and goes to the
 * next JobForge where one is gone.
 * @returns what stops it
 */
export function startTirelessRunner({ name, urls, slots, diary }: TirelessOptions): () => void {
  const hands: Hands = { held: new Map(), ended: new Map() };
  let socket: WebSocket | undefined;
  let runnerId: string | undefined;
  let stopped = false;
  const say: Say = (frame) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
  };
  const registration = () =>
    dialInRegistration({
      ...{ name, machineId: name, instanceId: name, maxConcurrency: slots },
      capabilities: [{ ...ECHO, maxConcurrency: slots }],
      held: [...hands.ended.keys()],
    });
  const connect = (attempt: number): void => {
    if (stopped) return;
    const url = urls[attempt % urls.length] ?? '';
    const dialled = new WebSocket(`${url.replace('http', 'ws')}/runners/connect`, WEBSOCKET_PROTOCOL);
    socket = dialled;
    dialled.on('open', () => {
      // What was not confirmed has not begun.
      hands.held.clear();
      say({ type: 'register', registration: registration() });
    });
    dialled.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as ReceivedFrame;
      runnerId = frame.registration?.runnerId ?? runnerId;
      onFrame(hands, frame, { say, diary });
    });
    dialled.on('error', () => undefined);
    dialled.on('close', () => setTimeout(() => connect(attempt + 1), RECONNECT_MS));
  };
  const beats = setInterval(() => {
    const beat = { runnerId, status: 'healthy', timestamp: new Date().toISOString() };
    const executions = [...hands.held.keys(), ...hands.ended.keys()];
    if (runnerId !== undefined) say({ type: 'heartbeat', heartbeat: { ...beat, executions } });
  }, BEAT_MS);
  connect(0);
  return () => {
    stopped = true;
    clearInterval(beats);
    socket?.terminate();
  };
}
