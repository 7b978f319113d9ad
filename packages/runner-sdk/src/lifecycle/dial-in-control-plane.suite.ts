import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import {
  envelopeOf,
  httpStatusOf,
  RunnerFrame,
  WEBSOCKET_PROTOCOL,
  type ErrorCode,
} from '@controlplane/contracts';
import { onTestFinished } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';

type Frame<Type extends RunnerFrame['type']> = Extract<RunnerFrame, { type: Type }>;

/** What a runner said, over a socket or by requests. */
export interface Said {
  readonly type: RunnerFrame['type'] | 'poll';
  readonly frame: RunnerFrame | undefined;
}

const READY = {
  runnerId: 'runner-1',
  registeredAt: '2026-01-01T00:00:00.000Z',
  heartbeatIntervalMs: 10_000,
  leaseMs: 20_000,
};

const jobOf = (executionId: string, capabilityId: string): Record<string, unknown> => ({
  jobId: `job-${executionId}`,
  executionId,
  moduleId: 'module',
  capabilityId,
  payload: {},
  leaseToken: `lease-${executionId}`,
});

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/**
 * Starts a control plane that runners dial in to, over sockets and polls, and that answers as told: it confirms,
 * acknowledges, refuses, stays silent or cuts the line. For tests.
 */
export async function startDialInControlPlane() {
  const said: Said[] = [];
  const waiters: Array<{ matches: (one: Said) => boolean; resolve: (one: Said) => void }> = [];
  const authorizations: string[] = [];
  const polls: ServerResponse[] = [];
  const asked: number[] = [];
  const unansweredClaims: (() => void)[] = [];
  let offers: unknown[] = [];
  let sayings: unknown[] = [];
  let socket: WebSocket | undefined;
  const plane = {
    /** What a registration is answered with. */
    refuse: undefined as ErrorCode | undefined,
    retryAfter: undefined as number | undefined,
    /** What an upgrade is answered with instead of a socket. */
    upgrade: 'open' as 'open' | 'proxy' | 'cut' | 'busy',
    confirms: true,
    acknowledges: true,
    registration: { ...READY } as Record<string, unknown>,
    verdict: undefined as 'LEASE_SUPERSEDED' | undefined,
    heartbeatReply: {} as Record<string, unknown>,
    /** What heartbeats and polls by request are answered with. */
    refuseRequests: undefined as ErrorCode | undefined,
  };

  function hear(type: Said['type'], frame: RunnerFrame | undefined): void {
    const one = { type, frame };
    said.push(one);
    for (const waiter of waiters.filter(({ matches }) => matches(one))) {
      waiters.splice(waiters.indexOf(waiter), 1);
      waiter.resolve(one);
    }
  }
  const envelope = (code: ErrorCode) =>
    envelopeOf(code, {
      service: 'control-plane',
      ...(plane.retryAfter === undefined ? {} : { retryAfter: plane.retryAfter }),
    });
  const send = (frame: unknown): void => socket?.send(JSON.stringify(frame));

  function answerFrame(frame: RunnerFrame): void {
    if (frame.type === 'register') {
      if (!plane.refuse) return send({ type: 'ready', registration: plane.registration });
      send({ type: 'refused', error: envelope(plane.refuse) });
      return socket?.close(4000);
    }
    if (frame.type === 'heartbeat') return send({ type: 'heartbeat', reply: plane.heartbeatReply });
    const code = plane.verdict === undefined ? {} : { code: plane.verdict };
    if (frame.type === 'accept' && plane.confirms) {
      send({
        type: 'confirmed',
        executions: frame.executions.map(({ executionId }) => ({ executionId, ...code })),
      });
    }
    if (frame.type === 'events' && plane.acknowledges) {
      const executions = frame.executions.map(({ executionId, events }) => ({
        executionId,
        seq: events.at(-1)?.seq ?? 0,
        ...code,
      }));
      send({ type: 'acknowledged', executions });
    }
  }

  function refuse(response: ServerResponse, code: ErrorCode): void {
    reply(response, httpStatusOf(code), { success: false, error: envelope(code) });
  }

  type Route = (to: {
    readonly id: string;
    readonly body: Record<string, unknown>;
    readonly response: ServerResponse;
  }) => void;

  /** By the last part of the path. */
  const routes: Readonly<Record<string, Route>> = {
    livez: ({ response }) => reply(response, 200, { ok: true }),
    register({ body, response }) {
      hear('register', { type: 'register', registration: body } as unknown as RunnerFrame);
      if (plane.refuse) refuse(response, plane.refuse);
      else reply(response, 200, plane.registration);
    },
    heartbeat({ body, response }) {
      hear('heartbeat', { type: 'heartbeat', heartbeat: body } as unknown as RunnerFrame);
      if (plane.refuseRequests) refuse(response, plane.refuseRequests);
      else reply(response, 200, plane.heartbeatReply);
    },
    deregister({ id, response }) {
      hear('deregister', { type: 'deregister' });
      reply(response, 200, { runnerId: id, deregistered: true });
    },
    poll({ body, response }) {
      if (plane.refuseRequests) return refuse(response, plane.refuseRequests);
      asked.push(Number(body['maxExecutions']));
      polls.push(response);
      hear('poll', undefined);
      flushPolls();
    },
    accept({ id, body, response }) {
      hear('accept', { type: 'accept', executions: [{ executionId: id, ...body }] });
      const say = (): void => {
        if (plane.verdict) refuse(response, plane.verdict);
        else reply(response, 200, { executionId: id, accepted: true });
      };
      if (plane.confirms) say();
      else unansweredClaims.push(say);
    },
    events({ id, body, response }) {
      const executions = [{ executionId: id, ...body }];
      const frame = { type: 'events', executions } as unknown as Frame<'events'>;
      hear('events', frame);
      if (plane.verdict) return refuse(response, plane.verdict);
      if (!plane.acknowledges) return refuse(response, 'STORE_UNAVAILABLE');
      const acknowledgedSeq = frame.executions[0]?.events.at(-1)?.seq ?? 0;
      reply(response, 200, { executionId: id, acknowledgedSeq });
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await readJson(request)) as Record<string, unknown>;
    authorizations.push(request.headers.authorization ?? '');
    const path = (request.url ?? '').split('/');
    routes[path.at(-1) ?? '']?.({ id: path[2] ?? '', body, response });
  }

  function flushPolls(): void {
    if (offers.length === 0 && sayings.length === 0) return;
    const open = polls
      .splice(0)
      .filter((one) => !one.destroyed)
      .pop();
    if (!open) return;
    const offered = offers.length === 0 ? [] : [{ type: 'offers', executions: offers }];
    reply(open, 200, { frames: [...sayings, ...offered] });
    offers = [];
    sayings = [];
  }

  const server = createServer((request, response) => void answer(request, response));
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => WEBSOCKET_PROTOCOL });
  server.on('upgrade', (request, raw: Socket, head) => {
    authorizations.push(request.headers.authorization ?? '');
    if (plane.upgrade === 'cut') return raw.destroy();
    if (plane.upgrade === 'busy')
      return raw.end(
        'HTTP/1.1 503 Service Unavailable\r\nretry-after: 40\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
      );
    if (plane.upgrade === 'proxy')
      return raw.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 5\r\nconnection: close\r\n\r\nsquid');
    sockets.handleUpgrade(request, raw, head, (made) => {
      socket = made;
      made.on('message', (data: Buffer) => {
        const frame = RunnerFrame.parse(JSON.parse(data.toString()));
        hear(frame.type, frame);
        answerFrame(frame);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const controls = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    said,
    authorizations,
    /** How many executions each poll has asked for. */
    asked,
    count: (type: Said['type']): number => said.filter((one) => one.type === type).length,
    /** The next thing of a kind that the runner says. */
    next: <Type extends RunnerFrame['type']>(
      type: Type,
      where: (frame: Frame<Type>) => boolean = () => true,
    ) =>
      new Promise<Frame<Type>>((resolve) =>
        waiters.push({
          matches: (one) => one.type === type && where(one.frame as Frame<Type>),
          resolve: ({ frame }) => resolve(frame as Frame<Type>),
        }),
      ),
    /** Answers the claims that came by requests while they were not confirmed. */
    answerClaims(): void {
      for (const say of unansweredClaims.splice(0)) say();
    },
    send,
    /** Answers the poll that is open, or the next, with a frame. */
    answerPoll(frame: unknown): void {
      sayings.push(frame);
      flushPolls();
    },
    offer(executionId: string, capabilityId = 'held'): void {
      const offer = jobOf(executionId, capabilityId);
      if (socket?.readyState === 1) return send({ type: 'offers', executions: [offer] });
      offers.push(offer);
      flushPolls();
    },
    /** Resolves when the runner has seen to all that was sent to it over the socket. */
    seen: (): Promise<void> =>
      new Promise((resolve) => {
        if (socket?.readyState !== 1) return resolve();
        socket.once('pong', () => resolve());
        socket.ping();
      }),
    /** Reads nothing over the socket, until it is told to again. */
    read: (isReading: boolean): void => (isReading ? socket?.resume() : socket?.pause()),
    /** Cuts the socket as a cable does. */
    cut: (): void => socket?.terminate(),
    close: (): Promise<void> =>
      new Promise((resolve) => {
        for (const client of sockets.clients) client.terminate();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  onTestFinished(controls.close);
  return Object.assign(plane, controls);
}
