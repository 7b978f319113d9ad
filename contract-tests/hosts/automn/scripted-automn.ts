import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import {
  AUTOMN_HEADERS,
  AUTOMN_SILENCE_MS,
  AUTOMN_VERSIONS,
  AutomnLine,
  AutomnRegistration,
  type AutomnResult,
} from '@controlplane/contracts/automn';
import { createArrivals } from '../arrivals.js';

/** A runner as this control plane knows it. */
interface Known {
  readonly id: string;
  secret: string;
  status: 'pending' | 'healthy' | 'disabled';
  registered: AutomnRegistration | undefined;
}

/** A job as this control plane records it. */
export interface AutomnJob {
  readonly runId: string;
  /** HTTP status of the answer; undefined before there is one. */
  status: number | undefined;
  /** What was answered instead of lines. */
  error: string | undefined;
  /** Text of the log lines, in order. */
  log: string;
  readonly lines: unknown[];
  result: AutomnResult | undefined;
  /** Hangs up: what happens when a host is restarted. */
  hangUp(): void;
}

/** What a script is run with. */
export interface ScriptOptions {
  readonly language?: string;
  /** Seconds. */
  readonly timeout?: number;
  readonly input?: unknown;
  readonly variables?: ReadonlyArray<{
    readonly envName: string;
    readonly value: string;
    readonly scope: string;
  }>;
  readonly runId?: string;
  readonly secret?: string;
}

const createPlane = () => ({
  known: [{ id: 'default', secret: 'default-secret', status: 'pending', registered: undefined }] as Known[],
  /** Bodies of registrations that were taken, which are the heartbeats too. */
  registrations: createArrivals<AutomnRegistration>(),
  /** Every answer to a registration. */
  answers: createArrivals<number>(),
  ends: createArrivals<AutomnJob>(),
  logs: createArrivals<AutomnJob>(),
  behaviour: {
    register: 'look' as 'look' | 'internal error' | 'gateway' | 'moved',
    minimumRunnerVersion: AUTOMN_VERSIONS.minimumRunner as string,
    hostVersion: AUTOMN_VERSIONS.host as string,
    /** Milliseconds without a byte after which a job is given up; default: the runner's `timeoutMs`. */
    silenceMs: undefined as number | undefined,
  },
});
type Plane = ReturnType<typeof createPlane>;

function check(
  known: Known | undefined,
  body: Partial<AutomnRegistration>,
): readonly [number, string, string?] | undefined {
  if (!body.secret) return [400, 'Runner secret is required'];
  if (!body.endpoint) return [400, 'Runner endpoint is required'];
  if (!/^https?:\/\//.test(body.endpoint)) return [400, 'Runner endpoint must be a valid http(s) URL'];
  if (!known) return [404, 'Runner host not found'];
  if (known.status === 'disabled') return [403, 'Runner host is disabled', 'runner_disabled'];
  return known.secret === body.secret ? undefined : [401, 'Invalid runner secret', 'invalid_secret'];
}

async function register(plane: Plane, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { behaviour, known, answers, registrations } = plane;
  const answer = (status: number, body: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    answers.push(status);
  };
  const body = (await json(request)) as Partial<AutomnRegistration>;
  if (behaviour.register === 'internal error')
    return answer(500, { error: 'Failed <script>alert(1)</script>' });
  if (behaviour.register === 'gateway') {
    response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>');
    return answers.push(502);
  }
  if (behaviour.register === 'moved') {
    response.writeHead(307, { location: '/elsewhere' }).end();
    return answers.push(307);
  }
  const [, id = ''] = /runner-hosts\/([^/]+)\/register$/.exec(request.url ?? '') ?? [];
  const runner = known.find((one) => one.id === decodeURIComponent(id));
  const [status, error, code] = check(runner, body) ?? [200];
  if (status !== 200 || !runner) return answer(status, { error, ...(code ? { code } : {}) });
  runner.registered = AutomnRegistration.parse(body);
  runner.status = 'healthy';
  const { hostVersion, minimumRunnerVersion } = behaviour;
  const runnerHost = {
    id: runner.id,
    name: 'Default <runner>',
    status: 'healthy',
    statusMessage: body.statusMessage,
  };
  answer(200, { runnerHost, registered: true, hostVersion, minimumRunnerVersion });
  registrations.push(runner.registered);
}

/** The whole row of the script's table goes over the wire, its token too. */
const rowOf = (
  code: string,
  { language = 'shell', timeout = 0, variables = [] }: ScriptOptions,
  runId: string,
) => ({
  id: 12,
  name: 'nightly',
  endpoint: 'nightly',
  language,
  code,
  timeout,
  run_token: 'the-script-token',
  require_authentication: 1,
  runner_host_id: 'default',
  preassignedRunId: runId,
  skipQueue: false,
  triggeredBy: 'API',
  triggeredByUserId: null,
  variables,
  jobContext: { httpMethod: 'POST', codeVersion: 3, scriptName: 'nightly', targetRunnerId: 'default' },
});

/** Reads lines as Automn does: those of a type that it does not know are passed over. */
function readLine(plane: Plane, job: AutomnJob, text: string): void {
  if (text.trim() === '') return;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    job.error ??= 'Runner sent invalid JSON';
    return;
  }
  job.lines.push(value);
  const line = AutomnLine.safeParse(value).data;
  if (line?.type === 'log') {
    job.log += line.line;
    plane.logs.push(job);
  }
  if (line?.type === 'result') job.result = line.data;
}

async function readAnswer(plane: Plane, job: AutomnJob, response: IncomingMessage): Promise<void> {
  job.status = response.statusCode;
  let rest = '';
  response.setEncoding('utf8');
  try {
    for await (const chunk of response) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (job.status === 200) readLine(plane, job, line);
      if (job.status !== 200) rest = lines.concat(rest).join('\n');
    }
    if (job.status === 200) readLine(plane, job, rest);
    else job.error = (JSON.parse(rest) as { error: string }).error;
    if (job.status === 200 && !job.result) job.error ??= 'Runner ended without result';
  } catch (error) {
    job.error ??= String(error);
  }
  plane.ends.push(job);
}

function run(plane: Plane, runner: Known, given: { readonly code: string } & ScriptOptions): AutomnJob {
  const { code, runId = randomUUID(), input = {}, secret = runner.secret } = given;
  const { registered } = runner;
  if (!registered) throw new Error('Runner offline');
  const body = JSON.stringify({ runId, script: rowOf(code, given, runId), reqBody: input });
  const request = httpRequest(registered.endpoint, {
    method: 'POST',
    // As Automn has it: a time without a byte, not of the whole.
    timeout: plane.behaviour.silenceMs ?? registered.timeoutMs ?? AUTOMN_SILENCE_MS,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      'content-length': Buffer.byteLength(body),
      [AUTOMN_HEADERS.runnerId]: runner.id,
      [AUTOMN_HEADERS.runnerName]: 'Default runner',
      [AUTOMN_HEADERS.runnerSecret]: secret,
    },
  });
  const job: AutomnJob = {
    runId,
    status: undefined,
    error: undefined,
    log: '',
    lines: [],
    result: undefined,
    hangUp: () => request.destroy(),
  };
  request.on('timeout', () => {
    job.error = 'Runner request timed out';
    request.destroy(new Error(job.error));
  });
  request.on('response', (response) => void readAnswer(plane, job, response));
  request.on('error', (error) => {
    job.error ??= error.message;
    if (job.status === undefined) plane.ends.push(job);
  });
  request.end(body);
  return job;
}

/** Starts the double. */
export async function startScriptedAutomn() {
  const plane = createPlane();
  const { known, ends, logs } = plane;
  const server = createServer((request, response) => {
    if (request.method === 'POST' && request.url?.startsWith('/api/settings/runner-hosts/'))
      return void register(plane, request, response);
    response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const runnerOf = (id: string): Known => {
    const found = known.find((one) => one.id === id);
    if (!found) throw new Error(`no runner ${id}`);
    return found;
  };
  return {
    ...plane,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    runnerOf,
    /** Runs a script. */
    run: (code: string, options: ScriptOptions = {}): AutomnJob =>
      run(plane, runnerOf('default'), { code, ...options }),
    ended: (job: AutomnJob) => ends.first((one) => one === job),
    /** Resolves when the job has logged such a text. */
    logged: (job: AutomnJob, text: string) => logs.first((one) => one === job && one.log.includes(text)),
    rotateSecret(id = 'default'): string {
      const runner = runnerOf(id);
      runner.secret = randomUUID();
      return runner.secret;
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export type ScriptedAutomn = Awaited<ReturnType<typeof startScriptedAutomn>>;
