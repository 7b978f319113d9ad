import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import {
  QUARTERBACK_LOG_BYTES,
  QuarterbackHeartbeat,
  QuarterbackLogs,
  QuarterbackRegistration,
  QuarterbackStatusUpdate,
  type QuarterbackLogSession,
} from '@controlplane/contracts/quarterback';
import { createArrivals } from '../arrivals.js';

/** A runner as this control plane knows it. */
interface Known {
  readonly id: string;
  readonly name: string;
  readonly apiKey: string;
  readonly osType: string;
  status: string;
  isRevoked: boolean;
}

/** A task as this control plane records it. */
export interface QuarterbackTaskRecord {
  readonly id: string;
  readonly given: Readonly<Record<string, unknown>>;
  readonly target: string;
  status: 'pending' | 'assigned' | 'running' | 'analyzing' | 'success' | 'error' | 'cancelled';
  /** What was said of it, in order. */
  readonly messages: string[];
  progress: number | undefined;
  session: QuarterbackLogSession | undefined;
}

/** One call that was answered. */
export interface QuarterbackCall {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
  readonly status: number;
  readonly answer: unknown;
}

/** What a task is made with. */
interface TaskOptions {
  readonly timeoutSeconds?: number;
  readonly files?: Readonly<Record<string, string>>;
  readonly checksums?: readonly string[];
  readonly target?: string;
  readonly id?: string;
  /** In place of what the protocol says. */
  readonly more?: Readonly<Record<string, unknown>>;
}

const createPlane = () => ({
  registrationToken: 'let-me-in' as string | undefined,
  known: [] as Known[],
  tasks: new Map<string, QuarterbackTaskRecord>(),
  files: new Map<string, string>(),
  calls: createArrivals<QuarterbackCall>(),
  ends: createArrivals<QuarterbackTaskRecord>(),
  /** Bodies that are none of this protocol. */
  strange: [] as unknown[],
  behaviour: {
    /** Answers to calls of a path, each once, before it behaves again. */
    failing: new Map<string, number[]>(),
    /** Whether an answer to `/status` says what is called for there: nothing that is promised. */
    saysCancelled: true,
  },
});
type Plane = ReturnType<typeof createPlane>;

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly raw: Buffer;
  readonly body: unknown;
}
type Reply = readonly [status: number, answer?: unknown];

/** A pattern of names, in which `*` stands for any text. */
function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^$()[\]{}|\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}

const nodeOf = ({ id, name, osType, status }: Known, more: object = {}): object => ({
  id,
  hostname: 'machine',
  name,
  os_type: osType,
  status,
  last_heartbeat: new Date().toISOString(),
  current_task_id: null,
  registered_at: new Date().toISOString(),
  ...more,
});

function register({ registrationToken, known }: Plane, { headers, body }: Asked): Reply {
  if (registrationToken === undefined) return [503, { detail: 'Registration is disabled' }];
  if (headers['x-registration-token'] !== registrationToken)
    return [401, { detail: 'Invalid registration token' }];
  const asked = QuarterbackRegistration.parse(body);
  const node: Known = {
    id: randomUUID(),
    name: asked.name ?? asked.hostname,
    apiKey: randomUUID(),
    osType: asked.os_type,
    status: 'idle',
    isRevoked: false,
  };
  known.push(node);
  return [200, nodeOf(node, { api_key: node.apiKey })];
}

function pending({ tasks }: Plane, node: Known): Reply {
  const next = [...tasks.values()].find(
    ({ status, target }) => status === 'pending' && matches(target, node.name),
  );
  if (!next) return [200, null];
  next.status = 'assigned';
  return [200, next.given];
}

/** An end is taken once; what is cancelled stays so. */
function takeStatus({ tasks, ends, behaviour }: Plane, body: unknown): Reply {
  const { task_id: id, status, message, progress } = QuarterbackStatusUpdate.parse(body);
  const task = tasks.get(id);
  if (!task) return [404, { detail: 'Task not found' }];
  task.messages.push(message ?? '');
  task.progress = progress ?? task.progress;
  const isOver = ['success', 'error', 'cancelled'].includes(task.status);
  if (!isOver) {
    task.status = status;
    if (status === 'success' || status === 'error') ends.push(task);
  }
  return [200, behaviour.saysCancelled ? { task_id: id, status: task.status } : { ok: true }];
}

function takeLogs({ tasks }: Plane, { raw, body }: Asked): Reply {
  if (raw.length > QUARTERBACK_LOG_BYTES) return [413, { detail: 'Request body too large' }];
  const { task_id: id, session } = QuarterbackLogs.parse(body);
  const task = tasks.get(id);
  if (!task) return [404, { detail: 'Task not found' }];
  task.session = session;
  return [200, session];
}

function beat(node: Known, body: unknown): Reply {
  node.status = QuarterbackHeartbeat.parse(body).status;
  return [200, nodeOf(node)];
}

function file({ files }: Plane, path: string): Reply {
  const content = files.get(decodeURIComponent(path.slice('/files/'.length)));
  return content === undefined ? [404, { detail: 'File not found' }] : [200, Buffer.from(content)];
}

function answerTo(plane: Plane, asked: Asked): Reply {
  const { method, path, headers, body } = asked;
  const failing = plane.behaviour.failing.get(path)?.shift();
  if (failing !== undefined) return [failing, { detail: 'as it was told' }];
  if (path === '/register') return register(plane, asked);
  const node = plane.known.find(({ apiKey }) => apiKey === headers['x-api-key']);
  if (!node || node.isRevoked) return [401, { detail: 'Invalid API key' }];
  if (method === 'GET' && path === '/tasks/pending') return pending(plane, node);
  if (path.startsWith('/files/')) return file(plane, path);
  if (path === '/nodes/heartbeat') return beat(node, body);
  if (path === '/status') return takeStatus(plane, body);
  return path === '/logs' ? takeLogs(plane, asked) : [404, { detail: 'Not Found' }];
}

function safeAnswer(plane: Plane, asked: Asked): Reply {
  try {
    return answerTo(plane, asked);
  } catch (error) {
    plane.strange.push({ path: asked.path, body: asked.body });
    return [422, { detail: String(error) }];
  }
}

async function serve(plane: Plane, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', url: path = '', headers } = request;
  const raw = await buffer(request);
  const body: unknown = raw.length === 0 ? undefined : JSON.parse(raw.toString('utf8'));
  const [status, answer] = safeAnswer(plane, { method, path, headers, raw, body });
  const isFile = Buffer.isBuffer(answer);
  response.writeHead(status, { 'content-type': isFile ? 'application/octet-stream' : 'application/json' });
  response.end(isFile ? answer : JSON.stringify(answer));
  plane.calls.push({ method, path, headers, body, status, answer });
}

function addTask(
  plane: Plane,
  url: string,
  given: TaskOptions & { readonly prompt: string },
): QuarterbackTaskRecord {
  const { prompt, id = randomUUID(), files = {}, checksums, timeoutSeconds, target = '*', more } = given;
  for (const [name, content] of Object.entries(files)) plane.files.set(name, content);
  const names = Object.keys(files);
  const sums = Object.values(files).map((content) => createHash('sha256').update(content).digest('hex'));
  const task: QuarterbackTaskRecord = {
    id,
    given: {
      task_id: id,
      prompt,
      orchestrator_url: url,
      ...(timeoutSeconds === undefined ? {} : { timeout_seconds: timeoutSeconds }),
      files: names,
      file_checksums: checksums ?? sums,
      ...more,
    },
    target,
    status: 'pending',
    messages: [],
    progress: undefined,
    session: undefined,
  };
  plane.tasks.set(id, task);
  return task;
}

/** Starts the double. */
export async function startScriptedQuarterback() {
  const plane = createPlane();
  const server = createServer((request, response) => void serve(plane, request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { calls, ends, known } = plane;
  return {
    plane,
    ...plane,
    url,
    /** Puts a task into the queue. */
    task: (prompt: string, options: TaskOptions = {}): QuarterbackTaskRecord =>
      addTask(plane, url, { ...options, prompt }),
    cancel(task: QuarterbackTaskRecord): void {
      task.status = 'cancelled';
    },
    /** Resolves when the task has ended. */
    ended: (task: QuarterbackTaskRecord) => ends.first(({ id }) => id === task.id),
    /** Resolves with the report that has such a text. */
    said: (task: QuarterbackTaskRecord, text: string) =>
      calls.first(
        ({ path, body }) =>
          path === '/status' &&
          Reflect.get(body as object, 'task_id') === task.id &&
          String(Reflect.get(body as object, 'message')).includes(text),
      ),
    /** What one side printed, as the log of the task has it. */
    printed: ({ session }: QuarterbackTaskRecord, role = 'assistant'): string =>
      (session?.messages ?? [])
        .filter((message) => message.role === role)
        .map(({ content }) => content)
        .join(''),
    /** Takes no key any more that it has given. */
    revoke(): void {
      for (const node of known) node.isRevoked = true;
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export type ScriptedQuarterback = Awaited<ReturnType<typeof startScriptedQuarterback>>;
