import { envelopeOf, type LogEvent, type TerminalEvent } from '@controlplane/contracts';
import type { SwampDispatch } from '@controlplane/contracts/swamp';
import { describe, expect, test } from 'vitest';
import { dataPlaneUrlOf } from './data-plane.js';
import { createOutputLines, endOf } from './from-event.js';
import { resolveSwampOptions, resolveSwampRunnerOptions } from './options.js';
import { refusalOfEnrollment, refusalOfUpgrade } from './refusals.js';
import { passedOn, readDispatch } from './to-request.js';

const AT = { executionId: 'e', seq: 1, at: '2026-01-01T00:00:00.000Z' };
const ENDED = { ...AT, executionTimeMs: 12 };
const failed = (code: string): TerminalEvent => ({
  ...ENDED,
  type: 'failed',
  error: { ...envelopeOf('EXECUTION_FAILED', { service: 's', message: 'why' }), code },
});
const ran = (exitCode: number): TerminalEvent => ({
  ...ENDED,
  type: 'succeeded',
  data: { exitCode, stdout: 'out', stderr: '' },
});

describe('the end of a command in the words of swamp', () => {
  test.each<[string, TerminalEvent, object]>([
    ['a success', ran(0), { kind: 'success', exitCode: 0, stdout: 'out', stderr: '' }],
    ['a failure', ran(3), { kind: 'error', error: 'Command exited with code 3' }],
    ['a time limit', failed('EXECUTION_TIMEOUT'), { kind: 'error', error: 'Command timed out after 5 ms' }],
    ['a cancel', { ...ENDED, type: 'cancelled', reason: 'user' }, { kind: 'refused', code: 'cancelled' }],
    ['no slot', failed('RUNNER_BUSY'), { kind: 'refused', code: 'worker_busy' }],
    ['a drain', failed('RUNNER_DRAINING'), { kind: 'refused', code: 'worker_draining' }],
    ['anything else', failed('COMMAND_KILLED'), { kind: 'error', error: 'COMMAND_KILLED: why' }],
  ])('%s', (_what, event, expected) => {
    expect(endOf(event, { run: 'true', timeout: 5 })).toMatchObject(expected);
  });

  test('output that did not fit is an error, not a success with a part of it', () => {
    const data = { exitCode: 0, stdout: 'head tail', stderr: '', droppedBytes: 9 };
    expect(endOf({ ...ENDED, type: 'succeeded', data }, { run: 'cat big' })).toEqual({
      kind: 'error',
      error: expect.stringMatching(/ended with 0, .* 9 bytes .*maxOutputBytes/),
    });
  });

  test('an exit code that does not matter is a success', () => {
    expect(endOf(ran(3), { run: 'false', ignoreExitCode: true })).toMatchObject({
      kind: 'success',
      exitCode: 3,
    });
  });
});

test('output becomes whole lines, stream by stream', () => {
  const lines = createOutputLines();
  const log = (message: string, stream: 'stdout' | 'stderr'): LogEvent => ({
    ...AT,
    type: 'log',
    level: 'info',
    message,
    stream,
  });
  const said = [
    ...lines.take(log('one\ntw', 'stdout')),
    ...lines.take(log('err', 'stderr')),
    ...lines.take(log('o\n\n', 'stdout')),
    ...lines.rest(),
  ];
  expect(said.map(({ event }) => [event.stream, event.line])).toEqual([
    ['stdout', 'one'],
    ['stdout', 'two'],
    ['stdout', ''],
    ['stderr', 'err'],
  ]);
});

describe('what is for good and what is not', () => {
  test.each([
    [
      'protocol_mismatch',
      'Worker protocol version 3 does not match orchestrator version 4',
      'CONTRACT_MISMATCH',
    ],
    ['invalid_token', 'Invalid enrollment token', 'CREDENTIAL_INVALID'],
    ['handler_failed', "Token 'a' has been revoked", 'TOKEN_REVOKED'],
    ['handler_failed', "Token 'revoked-runners' has expired", 'TOKEN_EXPIRED'],
    ['handler_failed', "Token 'a' does not exist — mint it first", 'CREDENTIAL_INVALID'],
    ['handler_failed', "Token 'a' does not match", 'CREDENTIAL_INVALID'],
    ['handler_failed', "Token 'a': enrollment allowance exhausted", 'MACHINE_MISMATCH'],
    ['handler_failed', "Token 'a' is already bound to another machine", 'MACHINE_MISMATCH'],
    ['handler_failed', '[ { "code": "invalid_type" } ]', 'CONTRACT_MISMATCH'],
    ['token_revoked', 'gone', 'TOKEN_REVOKED'],
    ['handler_failed', "Token 'expired-runners': the store is away", 'UNREACHABLE'],
    ['already_connected', "Worker 'a' is already connected", 'UNREACHABLE'],
    ['timeout', 'worker.enroll was not answered', 'UNREACHABLE'],
  ])('%s %s is %s', (code, message, expected) => {
    expect(refusalOfEnrollment(code, message).code).toBe(expected);
  });

  test('a control plane that limits connections says when to come again', () => {
    expect(refusalOfUpgrade(429, 'slow down', '7')).toMatchObject({
      code: 'UNREADABLE',
      retryAfterMs: 7_000,
    });
    expect(refusalOfUpgrade(401, 'who?', undefined).code).toBe('CREDENTIAL_INVALID');
  });
});

test('what belongs to a machine, to swamp or to nobody else is not passed on', () => {
  const snapshot = {
    A: '1',
    PATH: 'x',
    XDG_HOME: 'x',
    SWAMP_A: 'x',
    DB_PASSWORD: 'x',
    'no name': 'x',
    LD_PRELOAD: 'x',
  };
  expect(passedOn(snapshot)).toEqual({ A: '1' });
  expect(passedOn(snapshot, (name) => name !== 'A')).toEqual({ DB_PASSWORD: 'x' });
});

test('a dispatch of another method, protocol or shape is none for a shell', () => {
  const dispatch = (execution: object): SwampDispatch => ({
    dispatchId: 'd',
    leaseId: 'l',
    execution: {
      protocolVersion: 4,
      modelType: 'command/shell',
      modelId: 'm',
      methodName: 'execute',
      globalArgs: { workingDir: '/tmp' },
      methodArgs: { run: 'true' },
      definitionMeta: { id: 'm', name: 'm', version: 1, tags: {} },
      ...execution,
    },
    bundleFingerprint: 'builtin:command/shell',
    reportBundleFingerprints: [],
    environmentSnapshot: {},
  });
  expect(readDispatch(dispatch({}))).toMatchObject({ args: { run: 'true', workingDir: '/tmp' } });
  expect(readDispatch(dispatch({ protocolVersion: 5 }))).toMatchObject({ code: 'protocol_mismatch' });
  expect(readDispatch(dispatch({ methodName: 'delete' }))).toMatchObject({
    message: expect.stringContaining('delete'),
  });
  expect(readDispatch(dispatch({ methodArgs: {} }))).toMatchObject({
    message: expect.stringContaining('cannot be used'),
  });
});

describe('where results are written', () => {
  test.each([
    ['wss://a.example/', undefined, 'https://a.example'],
    ['ws://a.example:9090', 'ws://a.example:9090/data', 'http://a.example:9090/data'],
    ['wss://a.example', 'https://a.example/x', 'https://a.example/x'],
    ['https://a.example', 'wss://a.example/x', 'https://a.example/x'],
  ])('dialled as %s and asked for %s', (url, asked, expected) => {
    expect(dataPlaneUrlOf({ url, dataPlaneUrl: undefined }, asked)).toBe(expected);
  });

  test.each(['http://a.example', 'ws://a.example', 'https://b.example', 'https://a.example:8443'])(
    'a credential of wss://a.example does not go to %s',
    (asked) => {
      expect(() => dataPlaneUrlOf({ url: 'wss://a.example', dataPlaneUrl: undefined }, asked)).toThrow(
        /another origin than https:\/\/a\.example/,
      );
    },
  );

  test('an option counts for more than a dispatch', () => {
    const options = { url: 'wss://a.example', dataPlaneUrl: 'https://c.example' };
    expect(dataPlaneUrlOf(options, 'http://b.example')).toBe('https://c.example');
  });
});

test('the environment of swamp’s own runner is read', () => {
  const environment = {
    SWAMP_ORCHESTRATOR_URL: 'wss://swamp.example/',
    SWAMP_WORKER_TOKEN: 'a.b',
    SWAMP_WORKER_LABELS: 'a=1, b=2',
    SWAMP_WORKER_MAX_DISPATCHES: '3',
    SWAMP_WORKER_IDLE_TIMEOUT: '5m',
    SWAMP_WORKER_CONCURRENCY: 'auto',
  };
  expect(resolveSwampOptions({}, environment)).toMatchObject({
    url: 'wss://swamp.example/',
    token: 'a.b',
    labels: { a: '1', b: '2' },
  });
  expect(resolveSwampRunnerOptions(8, environment)).toEqual({
    maxJobs: 3,
    idleTimeoutMs: 300_000,
    maxConcurrency: 8,
  });
  expect(resolveSwampRunnerOptions(8, {})).toEqual({
    maxJobs: undefined,
    idleTimeoutMs: undefined,
    maxConcurrency: undefined,
  });
  expect(() => resolveSwampRunnerOptions(8, { SWAMP_WORKER_IDLE_TIMEOUT: 'soon' })).toThrow(
    /SWAMP_WORKER_IDLE_TIMEOUT is "soon"/,
  );
  expect(() => resolveSwampOptions({}, {})).toThrow(/SWAMP_WORKER_TOKEN/);
});
