import { envelopeOf, type ExecutionEvent } from '@controlplane/contracts';
import { AutomnRun, type AutomnLine, type AutomnResult } from '@controlplane/contracts/automn';
import { describe, expect, test } from 'vitest';
import { createReply } from './from-event.js';
import { endpointOf, resolveAutomnOptions } from './options.js';
import { isAtLeast, refusalOfRegistration } from './refusals.js';
import { isModule, packagesOf, runtimesOf } from './script-language.js';
import { scriptLineOf, toRequest } from './to-request.js';

const AT = { executionId: 'e', seq: 1, at: '2026-01-01T00:00:00.000Z' };
const ENDED = { ...AT, executionTimeMs: 12.4 };

const replyTo = (events: readonly ExecutionEvent[], isScript = true): AutomnLine[] =>
  events.flatMap(createReply({ runId: 'r', input: { a: 1 }, isScript }));
function resultOf(events: readonly ExecutionEvent[], isScript?: boolean): AutomnResult | undefined {
  const last = replyTo(events, isScript).at(-1);
  return last?.type === 'result' ? last.data : undefined;
}
const output = (stream: 'stdout' | 'stderr', message: string): ExecutionEvent => ({
  ...AT,
  type: 'log',
  level: 'info',
  stream,
  message,
});
const failed = (code: string, message = 'why'): ExecutionEvent => ({
  ...ENDED,
  type: 'failed',
  error: { ...envelopeOf('EXECUTION_FAILED', { service: 's', message }), code },
});

describe('the end of an execution in the words of Automn', () => {
  const nothing = {
    runId: 'r',
    duration: 12,
    returnData: null,
    automnLogs: [],
    automnNotifications: [],
    input: { a: 1 },
  };
  test.each<[string, ExecutionEvent, object]>([
    [
      'a time limit',
      failed('EXECUTION_TIMEOUT'),
      { code: 1, stdout: 'out', stderr: 'err\n\nTimeout exceeded.' },
    ],
    ['a signal', failed('COMMAND_KILLED'), { code: 1, stdout: 'out', stderr: 'err\n\nCOMMAND_KILLED: why' }],
    [
      'a cancel',
      { ...ENDED, type: 'cancelled', reason: 'user' },
      { code: 1, stderr: 'err\n\nCancelled: user' },
    ],
    ['no interpreter', failed('INTERPRETER_MISSING'), { stderr: 'err\n\nUnsupported language: why' }],
    [
      'no packages',
      failed('DEPENDENCIES_NOT_INSTALLED'),
      { code: 90, stderr: 'why', clientMessage: 'Try again later' },
    ],
  ])('%s', (_what, event, expected) => {
    const { automnLogs: _logs, ...rest } = nothing;
    expect(resultOf([output('stdout', 'out\n'), output('stderr', 'err\n'), event])).toMatchObject({
      ...rest,
      ...expected,
    });
  });

  test('a result of the script capability is laid out as Automn has it', () => {
    const said = { level: 'info', message: 'm' };
    const data = {
      exitCode: 3,
      durationMs: 7,
      stdout: 'out\n\n',
      stderr: 'err\n',
      data: [1],
      logs: [{ ...said, fields: { level: 'Warning', type: ' Import ', context: 'x', timestamp: 't' } }, said],
      notifications: [{ ...said, level: 'debug', audience: ' ops ' }],
    };
    expect(resultOf([{ ...ENDED, type: 'succeeded', data }])).toEqual({
      ...nothing,
      stdout: 'out',
      stderr: 'err\n',
      code: 3,
      duration: 7,
      returnData: [1],
      automnLogs: [
        { message: 'm', level: 'warn', type: 'import', context: { value: 'x' }, order: 0, timestamp: 't' },
        { message: 'm', level: 'info', type: 'general', context: {}, order: 1, timestamp: AT.at },
      ],
      automnNotifications: [
        {
          order: 0,
          audience: 'ops',
          message: 'm',
          level: 'info',
          raw: { audience: ' ops ', message: 'm', level: 'debug' },
          timestamp: AT.at,
        },
      ],
    });
  });

  test('what a script without an end of its own printed is kept up to 50 KB of bytes, between characters', () => {
    const result = resultOf([
      output('stdout', 'é'.repeat(30_000)),
      output('stdout', 'x'),
      failed('COMMAND_KILLED'),
    ]);
    expect(result?.stdout).toBe('é'.repeat(25_600));
  });

  test('progress is a line that Automn passes over', () => {
    expect(replyTo([{ ...AT, type: 'progress', fraction: 0.5 }])).toEqual([
      { type: 'progress', fraction: 0.5 },
    ]);
  });
});

describe('a job as an execution', () => {
  const line = scriptLineOf({ capabilities: [{ id: 'script.run' }] } as never, {});
  const of = (script: object, more: object = {}) =>
    toRequest(AutomnRun.parse({ script: { language: 'shell', code: 'true', ...script }, ...more }), line, {
      runId: 'a b',
      prefix: 'automn-1',
    });

  test.each([
    [{}, 2_147_483_647],
    [{ timeout: 0 }, 2_147_483_647],
    [{ timeout: null }, 2_147_483_647],
    [{ timeout: 1.5 }, 1_500],
    [{ timeout: '20' }, 20_000],
  ])('the time limit of %j is %i ms', (script, timeoutMs) => {
    expect(of(script)).toMatchObject({ timeoutMs, capabilityId: 'script.run', moduleId: 'automn' });
  });

  test('has the variables of the script, its input, and an id that every id of Automn fits in', () => {
    const variables = [
      { envName: 'AUTOMN_VAR_A', value: 1 },
      { envName: null, value: 'x' },
    ];
    const { payload, executionId } = of({ variables }, { reqBody: { b: 2 } });
    expect(payload).toMatchObject({
      language: 'bash',
      input: { b: 2 },
      variables: { AUTOMN_VAR_A: '1', AUTOMN_RUN_ID: 'a b', INPUT_JSON: '{"b":2}' },
    });
    expect(executionId).toMatch(/^automn-1\.[0-9a-f]{64}$/);
    expect(of({}).payload).toMatchObject({ input: {} });
  });

  test('without a language or code is refused', () => {
    expect(() => of({ language: 'cobol' })).toThrow(/Unsupported language: "cobol"/);
    expect(() => of({ code: '' })).toThrow(/no code/);
    expect(() => scriptLineOf({ capabilities: [] } as never, {})).toThrow(/no capability script\.run/);
  });
});

describe('a script for Node.js', () => {
  test('names its packages', () => {
    const code = `import a from 'left-pad/sub';
import { b } from "@scope/one/x"; // import c from 'in-a-comment'
const fs = require('fs/promises'), two = require( 'two' ), own = require('./own');
/* require('not-this') */
await import('three'); import 'node:path'; import '../x.js';`;
    expect(packagesOf(code)).toEqual(['@scope/one', 'left-pad', 'three', 'two']);
  });

  test.each([
    ["import x from 'y'", true],
    ["import 'y'", true],
    ['export default 1', true],
    ['console.log(import.meta.url)', true],
    ["const x = require('y'); import('z')", false],
    ['// import x from "y"', false],
    ['exports.a = 1', false],
  ])('%j: an ES module is %s', (code, expected) => {
    expect(isModule(code)).toBe(expected);
  });
});

describe('what is for good and what is not', () => {
  const no = (error: string) => ({ error });
  test.each([
    [400, no('Runner endpoint must be a valid http(s) URL'), 'VALIDATION_ERROR'],
    [401, no('Invalid runner secret'), 'CREDENTIAL_INVALID'],
    [403, no('Runner host is disabled'), 'UNREADABLE'],
    [404, no('Runner host not found'), 'RUNNER_MISMATCH'],
    [404, undefined, 'CONTRACT_MISMATCH'],
    [200, undefined, 'UNREADABLE'],
    [408, undefined, 'UNREADABLE'],
    [429, undefined, 'UNREADABLE'],
    [502, undefined, 'UNREADABLE'],
  ])('%i %j is %s', (status, said, code) => {
    expect(refusalOfRegistration(status, said).code).toBe(code);
  });

  test.each([
    ['0.2.16', '0.2.15', true],
    ['0.2.9', '0.2.15', false],
    ['v1.0', '0.2.15', true],
    ['0.2', '0.2.1', false],
    [undefined, '0.2.1', true],
    ['nightly', '0.2.1', true],
  ])('%s is at least %s: %s', (version, minimum, expected) => {
    expect(isAtLeast(version, minimum)).toBe(expected);
  });
});

describe('the environment of Automn’s own runner', () => {
  const REQUIRED = { AUTOMN_HOST_URL: 'http://automn:8088', AUTOMN_RUNNER_ID: 'default' };
  test('is read, with its defaults', () => {
    expect(resolveAutomnOptions({}, REQUIRED)).toMatchObject({
      hostUrl: 'http://automn:8088',
      runnerId: 'default',
      port: 3030,
      endpointPath: '/api/run',
      heartbeatMs: 60_000,
      statusMessage: 'Runner heartbeat',
      localMaxConcurrency: 0,
      secret: undefined,
      stateFile: undefined,
    });
    const all = {
      AUTOMN_RUNNER_HOST_URL: 'https://automn.example',
      AUTOMN_RUNNER_ID: 'r',
      AUTOMN_RUNNER_SECRET_FILE: '/s',
      AUTOMN_RUNNER_RESET_TOKEN: 'token',
      AUTOMN_RUNNER_STATE_DIR: '/state',
      AUTOMN_RUNNER_DATA_DIR: '/data',
      AUTOMN_RUNNER_WORKDIR: '/work',
      AUTOMN_RUNNER_HEARTBEAT_MS: '5000',
      AUTOMN_RUNNER_STATUS_MESSAGE: 'Night',
      AUTOMN_RUNNER_MAX_CONCURRENCY: '3',
      AUTOMN_RUNNER_LOCAL_MAX_CONCURRENCY: '2',
      AUTOMN_RUNNER_TIMEOUT_MS: '90000',
      AUTOMN_RUNNER_PORT: '4000',
      PORT: '5000',
    };
    expect(resolveAutomnOptions({}, all)).toMatchObject({
      hostUrl: 'https://automn.example',
      secret: { file: '/s' },
      resetToken: 'token',
      stateFile: '/state/runner-state.json',
      scriptsDir: '/data/scripts',
      workdirDir: '/work',
      heartbeatMs: 5_000,
      maxConcurrency: 3,
      localMaxConcurrency: 2,
      timeoutMs: 90_000,
      port: 4_000,
    });
    expect(
      resolveAutomnOptions({}, { ...REQUIRED, PORT: '5000', AUTOMN_RUNNER_DATA_DIR: '/d' }),
    ).toMatchObject({
      port: 5_000,
      stateFile: '/d/state/runner-state.json',
    });
  });

  test('is refused where it makes no sense, by name and without the secret', () => {
    expect(() => resolveAutomnOptions({}, {})).toThrow(/AUTOMN_HOST_URL/);
    expect(() => resolveAutomnOptions({}, { AUTOMN_HOST_URL: 'http://a' })).toThrow(/AUTOMN_RUNNER_ID/);
    const short = { ...REQUIRED, AUTOMN_RUNNER_SECRET: 'elevenchars' };
    expect(() => resolveAutomnOptions({}, short)).toThrow(/11 characters/);
    expect(() => resolveAutomnOptions({}, short)).not.toThrow(/elevenchars/);
    const named = { ...REQUIRED, AUTOMN_HOST_URL: 'http://me:pass-word@automn:8088' };
    expect(() => resolveAutomnOptions({}, named)).toThrow(/^(?!.*pass-word).*"hostUrl" has a user name/);
  });

  test.each([
    [{ publicUrl: 'http://runner:3030' }, 'http://runner:3030/api/run'],
    [{ publicUrl: 'http://runner:3030', endpointPath: 'jobs' }, 'http://runner:3030/jobs'],
    [{ endpointUrl: 'https://r.example/deep/run', publicUrl: 'http://x' }, 'https://r.example/deep/run'],
    [{ endpointUrl: 'https://r.example' }, 'https://r.example/api/run'],
    [{}, 'http://here:1/api/run'],
  ])('jobs of %j are posted to %s', (options, expected) => {
    expect(endpointOf(resolveAutomnOptions(options, REQUIRED), 'http://here:1')).toBe(expected);
  });

  test('languages are named by the labels of the runner', () => {
    expect(runtimesOf({ node: '22.1.0', bash: '5.2.1', region: 'eu' })).toEqual({
      node: '22.1.0',
      shell: '5.2.1',
    });
  });
});
