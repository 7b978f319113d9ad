import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isTerminalEvent, NDJSON, RunnerCapability, RunnerExecutionRequest } from '@controlplane/contracts';
import { conformanceCapabilities } from '@controlplane/runner-sdk/conformance';
import { automnPlane } from './automn-plane.js';
import { createEventWriter, replyOf } from './bridged-execution.js';
import type { ForeignPlane } from './foreign-plane.js';
import { quarterbackPlane } from './quarterback-plane.js';
import { swampPlane } from './swamp-plane.js';
import { swarmletPlane } from './swarmlet-plane.js';

// A program that the kit starts as a runner: BRIDGE_HOST says which control plane stands between the two.

const PLANES = {
  swarmlet: swarmletPlane,
  automn: automnPlane,
  swamp: swampPlane,
  quarterback: quarterbackPlane,
};
const RUNNER = fileURLToPath(new URL(String(process.env['BRIDGE_RUNNER'])));
const CANCEL = /^\/executions\/([^/]+)\/cancel$/;
const SLOTS = 4;
const LOOK_AGAIN_MS = 10;
/** How often it is looked whether what the runner said last has arrived, once it is gone. */
const LAST_LOOKS = 40;

/** Orders that were not answered yet. */
const open = new Set<ServerResponse>();
/** What no runner may say. */
const secrets = new Set(
  [process.env['CONFORMANCE_CANARY_SECRET'], process.env['RUNNER_TOKEN']].filter(
    (value) => value !== undefined,
  ),
);

const manifest = (host: string): object => ({
  name: `builder at ${host}`,
  version: '1.0.0',
  contractVersion: { major: 1, minor: 0, patch: 0 },
  capabilities: conformanceCapabilities().map(({ id, version, description, ...more }) =>
    RunnerCapability.parse({
      ...{ id, version, description, name: id, effects: more.effects, maxConcurrency: SLOTS },
      ...{ inputSchema: more.inputJsonSchema, outputSchema: more.outputJsonSchema, supportedJobTypes: [] },
    }),
  ),
  maxConcurrency: SLOTS,
  features: ['ndjson', 'cancel'],
});

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function execute(
  plane: ForeignPlane,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const asked = RunnerExecutionRequest.parse(await json(request));
  const { jobId, executionId = jobId, capabilityId, payload, timeoutMs } = asked;
  // An order that nobody is there for is not answered.
  if (!plane.isServed()) return void response.destroy();
  const text = JSON.stringify({ capability: capabilityId, input: payload });
  const isStream = request.headers.accept === NDJSON;
  const write = createEventWriter(executionId);
  if (isStream) response.writeHead(200, { 'content-type': NDJSON });
  const hidden = Object.values(asked.secrets ?? {});
  for (const value of hidden) secrets.add(value);
  open.add(response);
  response.once('close', () => open.delete(response));
  plane.give({ id: executionId, text, timeoutMs, secrets: hidden }, (heard) => {
    for (const event of write(heard)) {
      if (isStream) response.write(`${JSON.stringify(event)}\n`);
      if (!isTerminalEvent(event)) continue;
      if (isStream) return void response.end();
      const { status, body } = replyOf(jobId, event);
      answer(response, status, body);
    }
  });
}

async function handle(plane: ForeignPlane, host: string, [request, response]: Asked): Promise<void> {
  const { method, url = '' } = request;
  if (url === '/health') return answer(response, 200, { status: 'healthy' });
  if (url === '/manifest') return answer(response, 200, manifest(host));
  const [, cancelled] = CANCEL.exec(url) ?? [];
  if (method === 'POST' && cancelled !== undefined) {
    plane.cancel(decodeURIComponent(cancelled));
    return answer(response, 202, { executionId: cancelled, cancelling: true });
  }
  if (method === 'POST' && url === '/execute') return execute(plane, request, response);
  answer(response, 404, {});
}
type Asked = readonly [IncomingMessage, ServerResponse];

function isHost(name: string): name is keyof typeof PLANES {
  return Object.hasOwn(PLANES, name);
}

/** Ends with the runner, when its last words were passed on. */
async function end(code: number): Promise<void> {
  for (let looks = 0; open.size > 0 && looks < LAST_LOOKS; looks += 1) await setTimeout(LOOK_AGAIN_MS);
  process.exit(code);
}

async function main(host: string): Promise<void> {
  if (!isHost(host)) throw new Error(`BRIDGE_HOST is ${JSON.stringify(host)}`);
  const plane = await PLANES[host]();
  // The kit looks for what must not be said in replies and in the output: here is the rest of what was said.
  plane.watch((said) => {
    if ([...secrets].some((value) => said.includes(value))) process.stdout.write(`${said}\n`);
  });
  const server = createServer((request, response) => {
    handle(plane, host, [request, response]).catch((error: unknown) =>
      answer(response, 400, { error: String(error) }),
    );
  });
  const { PORT: _port, ...env } = process.env;
  const runner = spawn(process.execPath, [RUNNER], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...env, FOREIGN_HOST: host, FOREIGN_URL: plane.url },
  });
  // Signals are for the runner, which has them from the kit as this program has: this one ends as it does.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => undefined);
  runner.once('exit', (code, signal) => void end(code ?? (signal === null ? 1 : 128)));
  while (!plane.isServed()) await setTimeout(LOOK_AGAIN_MS);
  server.listen(Number(process.env['PORT']), '127.0.0.1');
}

await main(process.env['BRIDGE_HOST'] ?? '');
