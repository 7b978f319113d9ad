import { AutomnLine, AutomnStatus } from '@controlplane/contracts/automn';
import { defineCapability } from '@controlplane/runner-sdk';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { recorded } from '../matches-recorded.js';
import { interpreters, serve, start, startHost } from './served.js';
import { REGISTRATION, TRANSCRIPT } from './transcript.js';

const SECRET = 'default-secret';
const post = (url: string, body: object, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

test('a recorded session: every message is taken, every answer is one of Automn’s', async () => {
  const host = await startHost();
  await serve(host);
  const runtimes = expect.objectContaining({ node: interpreters.labels['node'] }) as unknown;
  expect(host.registrations.all[0]).toEqual({ ...Object(recorded(REGISTRATION)), runtimes });
  for (const { script, input, log, result } of TRANSCRIPT) {
    const { code, ...options } = script;
    const job = await host.ended(host.run(code, { ...options, input }));
    expect(job).toMatchObject({ status: 200, error: undefined, log });
    expect(job.result).toEqual(recorded(result));
    for (const line of job.lines) expect(AutomnLine.safeParse(line).success).toBe(true);
  }
});

describe.each(['node', 'python', 'shell'])('a script in %s', (language) => {
  const CODE: Readonly<Record<string, string>> = {
    node: `const { readFileSync } = require('node:fs');
if (require.main !== module) throw new Error('not the main module');
AutomnRunLog('in', { b: process.env.AUTOMN_VAR_B });
AutomnLog('done', 'success', { n: 1 });
AutomnReturn({ id: AutomnRunId, input: JSON.parse(process.env.AUTOMN_INPUT_JSON) });`,
    python: `import os
AutomnRunLog('in', {'b': os.environ['AUTOMN_VAR_B']})
AutomnLog('done', 'success', {'n': 1})
AutomnReturn({'id': AUTOMN_RUN_ID, 'input': json.loads(os.environ['AUTOMN_INPUT_JSON'])})`,
    shell: `AutomnRunLog in "{
  \\"b\\": \\"$AUTOMN_VAR_B\\"
}"
AutomnLog done success '{"n":1}'
AutomnReturn "{\\"id\\":\\"$AUTOMN_RUN_ID\\",\\"input\\":$AUTOMN_INPUT_JSON}"`,
  };

  test('has Automn’s functions, its variables, its input and its id', async () => {
    const host = await startHost();
    await serve(host);
    const variables = [{ envName: 'AUTOMN_VAR_B', value: 'two', scope: 'script' }];
    const job = await host.ended(host.run(CODE[language] ?? '', { language, input: { a: [1] }, variables }));
    expect(job.result).toMatchObject({
      code: 0,
      stderr: '',
      returnData: { id: job.runId, input: { a: [1] } },
      automnLogs: [{ message: 'done', level: 'success', type: 'general', context: { n: 1 } }],
    });
    expect(job.result?.stdout).toMatch(/^in\s+\{\s+"b": "two"\s+\}$/);
  });

  test('is given an input that no variable can hold', async () => {
    const host = await startHost();
    await serve(host);
    const input = { long: 'x'.repeat(300_000) };
    const length: Readonly<Record<string, string>> = {
      node: 'AutomnReturn(process.env.INPUT_JSON.length)',
      python: "AutomnReturn(len(json.loads(os.environ['INPUT_JSON'])['long']) + 11)",
      shell: 'AutomnReturn "${#INPUT_JSON}"',
    };
    const job = await host.ended(host.run(length[language] ?? '', { language, input }));
    expect(job.result).toMatchObject({ code: 0, returnData: JSON.stringify(input).length });
  });
});

test('a script for Node.js may be an ES module, and its errors name its own lines', async () => {
  const host = await startHost();
  await serve(host);
  const job = host.run("import { sep } from 'node:path';\nAutomnReturn(await sep);\nthrow new Error('no');", {
    language: 'node',
  });
  expect((await host.ended(job)).result).toMatchObject({ code: 1, returnData: '/' });
  expect(job.result?.stderr).toMatch(/automn-script\.mjs:3/);
});

test('a language that the runner lacks, and packages that it does not install, are said in Automn’s words', async () => {
  const host = await startHost();
  await serve(host);
  const power = await host.ended(host.run('Write-Output 1', { language: 'powershell' }));
  expect(power.result).toMatchObject({ code: 1, stderr: expect.stringMatching(/^Unsupported language/) });
  const packaged = await host.ended(host.run("require('left-pad')", { language: 'node' }));
  expect(packaged.result).toMatchObject({
    code: 90,
    errorCode: 'NODE_DEPENDENCY_INSTALL_FAILED',
    clientMessage: 'Try again later',
    automnLogs: [{ level: 'error', type: 'system' }],
  });
});

test('what is no job is refused with Automn’s statuses', async () => {
  const host = await startHost();
  const { url } = await serve(host, { localMaxConcurrency: 1 });
  const run = `${await url()}/api/run`;
  const own = { 'x-automn-runner-secret': SECRET };
  const said = async (response: Promise<Response>) => {
    const { status } = await response;
    return [status, ((await (await response).json()) as { error: string }).error];
  };
  expect(await said(post(run, {}))).toEqual([401, 'Invalid runner secret']);
  expect(await said(post(run, {}, { 'x-automn-runner-secret': 'default-secreT' }))).toEqual([
    401,
    'Invalid runner secret',
  ]);
  expect(await said(post(run, { runId: 'x' }, own))).toEqual([400, 'Script payload is required']);
  expect(await said(fetch(run, { method: 'POST', headers: own, body: '{' }))).toEqual([
    400,
    expect.stringContaining('not valid JSON'),
  ]);
  const first = host.run('echo on; exec sleep 60');
  await host.logged(first, 'on');
  expect(await host.ended(host.run('echo two'))).toMatchObject({
    status: 429,
    error: 'Runner is at capacity',
  });
  first.hangUp();
});

test('any capability can run what is posted, and its result is what the script returned', async () => {
  const host = await startHost();
  const add = defineCapability({
    id: 'add',
    version: '1.0.0',
    description: 'Adds.',
    input: z.object({ a: z.number() }),
    output: z.number(),
    execute: ({ a }, ctx) => {
      ctx.log.warn('adding', { a });
      return a + 1;
    },
  });
  await serve(
    host,
    { capability: 'add', payload: ({ reqBody }) => reqBody as Record<string, unknown> },
    { capabilities: [add] },
  );
  const job = await host.ended(host.run('', { input: { a: 1 } }));
  expect(job.result).toMatchObject({
    code: 0,
    returnData: 2,
    automnLogs: [{ level: 'warn', message: 'adding', context: { a: 1 } }],
  });
});

test('each heartbeat is a registration with everything that the first one had', async () => {
  const host = await startHost();
  await serve(host, { heartbeatMs: 30, statusMessage: 'Night shift', timeoutMs: 90_000, maxConcurrency: 3 });
  const [first, second] = await host.registrations.count(() => true, 2);
  expect(second).toEqual({
    ...first,
    statusMessage: 'Night shift (heartbeat)',
    uptime: expect.any(Number),
  });
  expect(first).toMatchObject({
    timeoutMs: 90_000,
    maxConcurrency: 3,
    statusMessage: 'Night shift (startup)',
  });
});

test('GET /status has the fields of Automn’s own runner, and no secret', async () => {
  const host = await startHost();
  const { url } = await serve(host);
  const text = await (await fetch(`${await url()}/status`)).text();
  expect(AutomnStatus.parse(JSON.parse(text))).toMatchObject({
    runner: {
      runnerId: 'default',
      secretConfigured: true,
      secretSource: 'env',
      locked: true,
      lastRegistrationStatus: 'ok',
    },
    config: { hostUrl: host.url, secretManagedByEnv: true, heartbeatInterval: 60_000 },
  });
  expect(text).not.toContain(SECRET);
});

test('a registration by hand, and what came of it', async () => {
  const host = await startHost();
  const { url } = await serve(host);
  const again = await fetch(`${await url()}/ui/reregister`, { headers: { 'user-agent': 'curl/8' } });
  expect(await again.text()).toContain('Registered.');
  expect(host.registrations.all.map(({ statusMessage }) => statusMessage)).toEqual([
    'Runner heartbeat (startup)',
    'Runner heartbeat (manual)',
  ]);
});

test('a refusal for good ends the registration with a code and what to do', async () => {
  const host = await startHost();
  const { runner } = await start(host, { runnerId: 'nobody', secret: SECRET });
  await expect(runner.ready()).rejects.toMatchObject({ refusal: { code: 'RUNNER_MISMATCH', exitCode: 73 } });
  const wrong = await start(host, { secret: 'wrong-secret-given' });
  await expect(wrong.runner.ready()).rejects.toMatchObject({ refusal: { code: 'CREDENTIAL_INVALID' } });
  const taken = await serve(host);
  const port = Number(new URL(await taken.url()).port);
  const second = await start(host, { secret: SECRET, port });
  await expect(second.runner.ready()).rejects.toThrow(/EADDRINUSE/);
});

test('a runner that goes finishes its scripts, takes no new ones and registers no more', async () => {
  const host = await startHost();
  const { runner } = await serve(host, { heartbeatMs: 50 });
  const job = host.run('echo on; sleep 1; echo off');
  await host.logged(job, 'on');
  const stopped = runner.stop({ drainMs: 20_000 });
  onTestFinished(() => stopped.then(() => undefined));
  const late = await host.ended(host.run('echo late'));
  expect(late).toMatchObject({ status: 503, error: 'Runner is shutting down' });
  expect((await host.ended(job)).result).toMatchObject({ code: 0, stdout: 'on\noff' });
  await stopped;
});
