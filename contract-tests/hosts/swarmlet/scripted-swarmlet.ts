import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { SwarmletRegisterRequest, SwarmletRunnerFrame } from '@controlplane/contracts/swarmlet';
import { WebSocketServer, type WebSocket } from 'ws';
import { createArrivals } from '../arrivals.js';

/** A runner as this control plane knows it. */
interface Known {
  readonly id: number;
  readonly name: string;
  secret: string;
  isRevoked: boolean;
  socket: WebSocket | undefined;
}

/** A job as this control plane records it. */
export interface SwarmletJob {
  readonly id: string;
  status: 'running' | 'success' | 'failed' | 'timeout';
  exitCode: number | undefined;
  error: string | undefined;
  stdout: string;
  stderr: string;
}

type Frame = SwarmletRunnerFrame;

/** What a command is given to. */
interface ExecOptions {
  readonly timeoutSecs?: number;
  readonly runner?: string;
  /** A job of this id is given once more. */
  readonly id?: string;
}

const createPlane = () => ({
  known: [{ id: 7, name: 'builder', secret: 'seven-secret', isRevoked: false, socket: undefined }] as Known[],
  tokens: new Set<string>(),
  jobs: new Map<string, SwarmletJob>(),
  frames: createArrivals<Frame>(),
  /** Frames that are none of this protocol. */
  strange: [] as string[],
  connections: createArrivals<WebSocket>(),
  ends: createArrivals<SwarmletJob>(),
  behaviour: {
    /** What a hello is answered with, whatever it says. */
    hello: 'look' as 'look' | 'database error',
    /** What an upgrade is answered with. */
    upgrade: 'open' as 'open' | 'bad gateway',
  },
});
type Plane = ReturnType<typeof createPlane>;

/** Output and ends are taken for a job that is known, its end once, from a runner that is not revoked. */
function take({ jobs, ends }: Plane, runner: Known, frame: Frame): void {
  if (frame.type === 'hello' || frame.type === 'heartbeat') return;
  const job = jobs.get(frame.job_id);
  if (!job || runner.isRevoked) return;
  if (frame.type === 'exec_chunk') {
    job[frame.stream] += frame.data;
    return;
  }
  if (job.status !== 'running') return;
  if (frame.type === 'exec_error') {
    job.error = frame.error;
    job.status = frame.error.includes('timed out') ? 'timeout' : 'failed';
  } else {
    job.exitCode = frame.exit_code;
    job.status = frame.exit_code === 0 ? 'success' : 'failed';
  }
  ends.push(job);
}

/** Looks in the order in which Swarmlet does, and says no with its reasons. */
function greet({ known }: Plane, frame: Frame | undefined): Known | string {
  if (!frame) return 'Invalid hello message';
  if (frame.type !== 'hello') return 'Expected hello message';
  if (frame.secret === '') return 'Missing secret';
  const { runner_id: id = null, runner_name: name = null } = frame;
  if (id === null && name === null) return 'Missing runner_id or runner_name';
  const runner = known.find((one) => one.id === id || one.name === name);
  if (!runner) return 'Runner not found';
  if (runner.isRevoked) return 'Runner has been revoked';
  return runner.secret === frame.secret ? runner : 'Invalid runner secret';
}

function read(text: string): Frame | undefined {
  try {
    return SwarmletRunnerFrame.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function serve(plane: Plane, socket: WebSocket): void {
  let runner: Known | undefined;
  socket.on('error', () => undefined);
  socket.on('message', (data: Buffer) => {
    const text = data.toString('utf8');
    const frame = read(text);
    if (frame) plane.frames.push(frame);
    else plane.strange.push(text);
    if (runner) return frame && take(plane, runner, frame);
    if (plane.behaviour.hello === 'database error') return socket.close(1011, 'Server DB error');
    const found = greet(plane, frame);
    if (typeof found === 'string') return socket.close(1008, found);
    runner = found;
    runner.socket = socket;
    plane.connections.push(socket);
  });
  socket.on('close', () => {
    if (runner?.socket === socket) runner.socket = undefined;
  });
}

async function register(plane: Plane, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { known, tokens } = plane;
  const answer = (status: number, body: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  const asked = SwarmletRegisterRequest.safeParse(await json(request));
  if (!asked.success) return answer(422, { detail: asked.error.issues });
  const { enroll_token, name = `runner-${randomUUID().slice(0, 8)}`, capabilities } = asked.data;
  if (!tokens.delete(enroll_token)) return answer(400, { detail: 'Invalid or expired enrollment token' });
  const same = known.find((one) => one.name === name);
  if (same?.isRevoked) return answer(409, { detail: 'Runner with this name is revoked' });
  const secret = randomUUID();
  const runner = same ?? { id: known.length + 7, name, secret, isRevoked: false, socket: undefined };
  if (same) same.secret = secret;
  else known.push(runner);
  runner.socket?.close(1008, 'Runner re-enrolled with new secret');
  const csv = capabilities?.join(',') ?? 'exec.readonly';
  answer(200, { runner_id: runner.id, runner_secret: secret, name, runner_capabilities_csv: csv });
}

async function listen(plane: Plane): Promise<{ readonly server: Server; readonly sockets: WebSocketServer }> {
  const server = createServer((request, response) => {
    if (request.method === 'POST' && request.url === '/api/runners/register')
      return void register(plane, request, response);
    response.writeHead(404).end();
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, stream, head) => {
    if (plane.behaviour.upgrade === 'bad gateway' || request.url !== '/api/runners/ws')
      return stream.end('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    sockets.handleUpgrade(request, stream, head, (socket) => serve(plane, socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, sockets };
}

function exec(plane: Plane, runner: Known, given: { readonly command: string } & ExecOptions): SwarmletJob {
  const { command, timeoutSecs = 0, id = randomUUID() } = given;
  const job: SwarmletJob = plane.jobs.get(id) ?? {
    id,
    status: 'running',
    exitCode: undefined,
    error: undefined,
    stdout: '',
    stderr: '',
  };
  plane.jobs.set(id, job);
  const frame = { type: 'exec_request', job_id: id, command, timeout_secs: timeoutSecs };
  runner.socket?.send(JSON.stringify(frame));
  return job;
}

/** Starts the double. */
export async function startScriptedSwarmlet() {
  const plane = createPlane();
  const { known, tokens, frames, ends } = plane;
  const { server, sockets } = await listen(plane);
  const runnerOf = (name: string): Known => {
    const found = known.find((one) => one.name === name);
    if (!found) throw new Error(`no runner ${name}`);
    return found;
  };
  return {
    ...plane,
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    runnerOf,
    /** A token for one enrollment. */
    token(): string {
      const token = randomUUID();
      tokens.add(token);
      return token;
    },
    /** Gives a command to a runner. */
    exec: (command: string, options: ExecOptions = {}): SwarmletJob =>
      exec(plane, runnerOf(options.runner ?? 'builder'), { command, ...options }),
    cancel: ({ id }: Pick<SwarmletJob, 'id'>, runner = 'builder') =>
      runnerOf(runner).socket?.send(JSON.stringify({ type: 'exec_cancel', job_id: id })),
    /** Resolves when the job has ended. */
    ended: (job: SwarmletJob) => ends.first(({ id }) => id === job.id),
    chunk: (job: SwarmletJob) =>
      frames.first((frame) => frame.type === 'exec_chunk' && frame.job_id === job.id),
    rotateSecret(name: string): string {
      const runner = runnerOf(name);
      runner.secret = randomUUID();
      runner.socket?.close(1008, 'Secret rotated');
      return runner.secret;
    },
    /** Cuts the connection without a word. */
    drop: (name = 'builder') => runnerOf(name).socket?.terminate(),
    /** Reads nothing any more over the connection that there is: what is sent meanwhile is lost with it. */
    deafen: (name = 'builder') => runnerOf(name).socket?.pause(),
    async close(): Promise<void> {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export type ScriptedSwarmlet = Awaited<ReturnType<typeof startScriptedSwarmlet>>;
