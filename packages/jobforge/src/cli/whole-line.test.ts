import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { RunnerExecutionRequest } from '@controlplane/contracts';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createJobForge } from '../control-plane.js';
import { runJobforge } from './cli-run.fixture.js';
import { FollowLine } from './json-output.js';

// The command against the control plane itself, with a runner written by hand.

function stream(response: ServerResponse, executionId: string): (event: Record<string, unknown>) => void {
  let seq = 0;
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  return (event) =>
    void response.write(
      `${JSON.stringify({ executionId, seq: seq++, at: new Date().toISOString(), ...event })}\n`,
    );
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url === '/health') {
    response.end('{"status":"healthy"}');
    return;
  }
  const { executionId = '', payload } = RunnerExecutionRequest.parse(JSON.parse(await text(request)));
  const say = stream(response, executionId);
  say({ type: 'accepted' });
  say({ type: 'log', level: 'info', message: 'greeting', fields: payload });
  say({ type: 'succeeded', data: { message: `Hello, ${String(payload['name'])}` } });
  response.end();
}

async function line(): Promise<string> {
  const forge = await createJobForge({ store: 'memory', listen: { port: 0 } }).start();
  const runner = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  onTestFinished(async () => {
    await forge.stop();
    runner.close().closeAllConnections();
  });
  await once(runner, 'listening');
  const { port } = runner.address() as AddressInfo;
  const inputSchema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };
  const registration = {
    name: 'my-runner',
    version: '1.0.0',
    contractVersion: '1.0.0',
    healthCheckEndpoint: `http://127.0.0.1:${port}/health`,
    instanceId: 'one',
    features: ['ndjson'],
    capabilities: [
      {
        id: 'hello.greet',
        name: 'greet',
        version: '1.0.0',
        description: 'Greets.',
        inputSchema,
        outputSchema: {},
        supportedJobTypes: [],
      },
    ],
  };
  const url = forge.url ?? '';
  const reply = await fetch(`${url}/runners/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(registration),
  });
  expect(reply.status).toBe(200);
  return url;
}

describe('the first minute', () => {
  it('follows a job on a real runner to its result', async () => {
    const run = await runJobforge(await line(), [
      'job',
      'submit',
      'hello.greet',
      '{"name":"Ada"}',
      '--follow',
    ]);
    expect(run).toMatchObject({ code: 0, err: [] });
    expect(run.out).toEqual([
      expect.stringMatching(/^job \S+ {2}queued → my-runner$/),
      expect.stringMatching(/^ {2}[\d:.]{12} {2}info {3}greeting \{"name":"Ada"\}$/),
      expect.stringMatching(/^completed in \d+ ms {3}\{"message":"Hello, Ada"\}$/),
    ]);
  });

  it('shows afterwards what happened: log, list, runners', async () => {
    const url = await line();
    const run = await runJobforge(url, [
      'job',
      'submit',
      'hello.greet',
      '{"name":"Ada"}',
      '--id',
      'j',
      '--follow',
      '--json',
    ]);
    const seen = run.out.map((output) => FollowLine.parse(JSON.parse(output)));
    expect(seen.at(-1)).toMatchObject({ event: 'ended', job: { id: 'j', status: 'completed' } });
    expect((await runJobforge(url, ['job', 'logs', 'j'])).out).toEqual([
      expect.stringContaining('greeting {"name":"Ada"}'),
    ]);
    expect((await runJobforge(url, ['job', 'list'])).out[1]).toMatch(/^j {3,}completed {2}hello\.greet/);
    expect((await runJobforge(url, ['runner', 'list'])).out[1]).toMatch(/^my-runner {2}healthy/);
    expect((await runJobforge(url, ['job', 'cancel', 'j'])).err[0]).toContain('JOB_FINISHED');
  });

  it('says where an input is wrong before anything is queued', async () => {
    const run = await runJobforge(await line(), ['job', 'submit', 'hello.greet', '{"nam":"Ada"}']);
    expect(run.code).toBe(1);
    expect(run.err).toEqual([
      expect.stringMatching(
        /^✗ VALIDATION_ERROR {2}input\.name: .* {3}\(hello\.greet@1\.0\.0; nothing was queued\)$/,
      ),
    ]);
  });
});
