import { WEBSOCKET_PROTOCOL } from '@controlplane/contracts';
import { WebSocket } from 'ws';
import { eventually } from '../../case/wait.js';
import { PATIENCE_MS } from '../pause.js';
import { parseJson } from '../recorded-message.js';
import type { JudgedPlane } from './plane-client.js';
import { playedRegistration, readOffer, type PlayedOffer, type PlayedRunner } from './played-runner.js';

type Frame = Readonly<Record<string, unknown>>;

/** A socket of a played runner, and what came over it. */
export interface PlayedSocket {
  readonly socket: WebSocket;
  readonly frames: readonly Frame[];
  /** Takes out the first frame that fits; undefined when none comes in time. */
  take(fits: (frame: Frame) => boolean, ms?: number): Promise<Frame | undefined>;
  closed(): boolean;
}

/** Dials; undefined where the upgrade is refused. */
export async function dialPlane(
  { url, signal }: JudgedPlane,
  credential: string | undefined,
): Promise<PlayedSocket | undefined> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/runners/connect`, [WEBSOCKET_PROTOCOL], {
    headers: credential === undefined ? {} : { authorization: `Bearer ${credential}` },
    perMessageDeflate: false,
    handshakeTimeout: PATIENCE_MS,
  });
  const frames: Frame[] = [];
  let isClosed = false;
  socket.on('message', (data: Buffer) => frames.push(Object(parseJson(data.toString('utf8'))) as Frame));
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isClosed = true;
  });
  signal.addEventListener('abort', () => socket.terminate());
  await eventually(() => isClosed || socket.readyState === socket.OPEN, { ms: PATIENCE_MS, signal });
  if (socket.readyState !== socket.OPEN) return undefined;
  return {
    socket,
    frames,
    closed: () => isClosed,
    async take(fits, ms = PATIENCE_MS) {
      const at = await eventually(() => (frames.some(fits) ? { index: frames.findIndex(fits) } : undefined), {
        ms,
        signal,
      });
      return at && frames.splice(at.index, 1)[0];
    },
  };
}

const executionsOf = (frame: Frame | undefined): readonly Frame[] =>
  Array.isArray(frame?.['executions']) ? (frame['executions'] as Frame[]) : [];

const isAbout =
  (type: string, executionId: string) =>
  (frame: Frame): boolean =>
    frame['type'] === type && executionsOf(frame).some((one) => one['executionId'] === executionId);

function ownOf(frame: Frame | undefined, { executionId }: PlayedOffer): Frame {
  return executionsOf(frame).find((one) => one['executionId'] === executionId) ?? {};
}

const codeOf = (frame: Frame | undefined, offer: PlayedOffer): string | undefined => {
  if (!frame) return 'NO_ANSWER';
  const { code } = ownOf(frame, offer);
  return typeof code === 'string' ? code : undefined;
};

/** Takes out one directive of a frame. */
const hasDirective =
  (kind: string) =>
  ({ type, directives }: Frame): boolean =>
    type === 'directives' && Array.isArray(directives) && directives.some((one) => Object(one).kind === kind);

/**
 * Registers a runner over a socket.
 * @returns undefined where no ready came
 */
export async function playSocketRunner(
  plane: JudgedPlane,
  { credential, changes }: { readonly credential: string | undefined; readonly changes?: Frame },
): Promise<PlayedRunner | undefined> {
  const link = await dialPlane(plane, credential);
  const { capability, ...registration } = playedRegistration('websocket', changes);
  const say = (frame: object): void => link?.socket.send(JSON.stringify(frame));
  say({ type: 'register', registration });
  const ready = await link?.take(({ type }) => type === 'ready' || type === 'refused');
  if (!link || ready?.['type'] !== 'ready') return undefined;
  const registered = ready['registration'];
  const offers: PlayedOffer[] = [];
  return {
    runnerId: String(Object(registered).runnerId),
    ...{ capability, registration, registered, credential },
    async offer(ms) {
      if (offers.length === 0)
        offers.push(...executionsOf(await link.take(({ type }) => type === 'offers', ms)).map(readOffer));
      return offers.shift();
    },
    async accept(offer) {
      const { executionId, leaseToken } = offer;
      say({ type: 'accept', executions: [{ executionId, leaseToken }] });
      return { code: codeOf(await link.take(isAbout('confirmed', executionId)), offer) };
    },
    async tell(offer, ...events) {
      const { executionId, leaseToken } = offer;
      say({ type: 'events', executions: [{ executionId, leaseToken, events }] });
      const answer = await link.take(isAbout('acknowledged', executionId));
      const { seq } = ownOf(answer, offer);
      return { code: codeOf(answer, offer), seq: typeof seq === 'number' ? seq : undefined };
    },
    async directive(kind, ms) {
      const frame = await link.take(hasDirective(kind), ms);
      const all = (frame?.['directives'] ?? []) as readonly Frame[];
      return all.find((one) => one['kind'] === kind);
    },
    async close() {
      link.socket.terminate();
    },
  };
}
