import type { ExecutionEvent } from '@controlplane/contracts';
import {
  SWARMLET_OUTPUT_BYTES,
  SWARMLET_TRUNCATION,
  type SwarmletRunnerFrame,
} from '@controlplane/contracts/swarmlet';
import { describe, expect, test } from 'vitest';
import { envelopeOf } from '@controlplane/contracts';
import { createReply } from './from-event.js';
import { resolveSwarmletOptions, swarmletUrls } from './options.js';
import { refusalOfClose, refusalOfEnrollment } from './refusals.js';

const REQUEST = { type: 'exec_request', job_id: 'j', command: 'true', timeout_secs: 5 } as const;
const AT = { executionId: 'e', seq: 1, at: '2026-01-01T00:00:00.000Z' };
const ENDED = { ...AT, executionTimeMs: 12.4 };

const replyTo = (events: readonly ExecutionEvent[], isShell = true): SwarmletRunnerFrame[] =>
  events.flatMap(createReply(REQUEST, isShell));
const output = (message: string): ExecutionEvent => ({
  ...AT,
  type: 'log',
  level: 'info',
  stream: 'stdout',
  message,
});
const failed = (code: string, value?: object): ExecutionEvent => ({
  ...ENDED,
  type: 'failed',
  error: {
    ...envelopeOf('EXECUTION_FAILED', { service: 's', message: 'why' }),
    code,
    details: value === undefined ? [] : [{ message: 'how it ended', code: 'COMMAND_END', value }],
  },
});

describe('the end of an execution in the words of Swarmlet', () => {
  const done = (exit_code: number) => ({ type: 'exec_done', job_id: 'j', exit_code, duration_ms: 12 });
  const error = (text: string) => ({ type: 'exec_error', job_id: 'j', error: text });
  test.each<[string, ExecutionEvent, object]>([
    ['an exit code', { ...ENDED, type: 'succeeded', data: { exitCode: 3 } }, done(3)],
    ['a signal', failed('COMMAND_KILLED', { exitCode: null, signal: 'SIGKILL' }), done(137)],
    ['a cancel', { ...ENDED, type: 'cancelled', reason: 'user' }, done(143)],
    ['a time limit', failed('EXECUTION_TIMEOUT'), error('Command timed out after 5 seconds')],
    ['no slot', failed('RUNNER_BUSY'), error('Runner is busy with another job')],
    ['anything else', failed('COMMAND_NOT_STARTED'), error('COMMAND_NOT_STARTED: why')],
  ])('%s', (_what, event, frame) => {
    expect(replyTo([event])).toEqual([frame]);
  });

  test('of a capability that runs no program, its log and its result are the output', () => {
    const events: ExecutionEvent[] = [
      { ...AT, type: 'log', level: 'info', message: 'looking' },
      { ...ENDED, type: 'succeeded', data: { found: 2 } },
    ];
    expect(replyTo(events, false)).toEqual([
      { type: 'exec_chunk', job_id: 'j', stream: 'stderr', data: 'looking\n' },
      { type: 'exec_chunk', job_id: 'j', stream: 'stdout', data: '{"found":2}\n' },
      done(0),
    ]);
    expect(replyTo(events.slice(0, 1))).toEqual([]);
  });
});

test('output is cut at 50 KB of bytes, between characters, once', () => {
  const frames = replyTo([output('é'.repeat(30_000)), output('more')]);
  expect(frames).toHaveLength(1);
  const text = frames[0]?.type === 'exec_chunk' ? frames[0].data : '';
  expect(text.endsWith(SWARMLET_TRUNCATION)).toBe(true);
  expect(Buffer.byteLength(text.slice(0, -SWARMLET_TRUNCATION.length))).toBe(SWARMLET_OUTPUT_BYTES);
});

describe('what is for good and what is not', () => {
  test.each([
    [1008, 'Invalid hello message', 'CONTRACT_MISMATCH'],
    [1008, 'Expected hello message', 'CONTRACT_MISMATCH'],
    [1008, 'Missing secret', 'CREDENTIAL_MISSING'],
    [1008, 'Missing runner_id or runner_name', 'RUNNER_MISMATCH'],
    [1008, 'Runner has been revoked', 'TOKEN_REVOKED'],
    [1008, 'Secret rotated', 'CREDENTIAL_INVALID'],
    [1008, 'Runner re-enrolled with new secret', 'CREDENTIAL_INVALID'],
    [1011, 'Server DB error', 'UNREACHABLE'],
    [1006, '', 'UNREACHABLE'],
  ])('close %i %s is %s', (code, reason, expected) => {
    expect(refusalOfClose(code, reason).code).toBe(expected);
  });

  test.each([
    [400, 'CREDENTIAL_INVALID'],
    [404, 'CONTRACT_MISMATCH'],
    [408, 'UNREADABLE'],
    [409, 'TOKEN_REVOKED'],
    [422, 'CONTRACT_MISMATCH'],
    [425, 'UNREADABLE'],
    [429, 'UNREADABLE'],
    [503, 'UNREADABLE'],
  ])('an enrollment answered %i is %s', (status, expected) => {
    expect(refusalOfEnrollment(status, 'why').code).toBe(expected);
  });
});

describe('the environment of Swarmlet’s own runner', () => {
  test('is read, with its defaults', () => {
    expect(resolveSwarmletOptions({}, {})).toMatchObject({
      url: 'ws://localhost:47300',
      heartbeatIntervalMs: 30_000,
      reconnectDelayMs: 5_000,
      maxReconnectDelayMs: 60_000,
      connectTimeoutMs: 15_000,
    });
    const environment = {
      LONGHOUSE_URL: 'https://longhouse.example',
      RUNNER_NAME: 'a',
      RUNNER_SECRET_FILE: '/s',
    };
    expect(resolveSwarmletOptions({}, environment)).toMatchObject({
      url: 'https://longhouse.example',
      runnerName: 'a',
      secret: { file: '/s' },
    });
    expect(resolveSwarmletOptions({}, { RUNNER_ID: '7', RUNNER_NAME: 'a' })).toMatchObject({
      runnerId: 7,
      runnerName: undefined,
    });
  });

  test('is refused where it makes no sense, by name', () => {
    expect(() => resolveSwarmletOptions({}, { RUNNER_ID: 'seven' })).toThrow(
      /environment variable RUNNER_ID is "seven"/,
    );
    expect(() => swarmletUrls({ LONGHOUSE_URLS: 'wss://a.example, b' })).toThrow(/LONGHOUSE_URLS has "b"/);
    expect(swarmletUrls({ LONGHOUSE_URLS: 'wss://a.example,wss://b.example' })).toHaveLength(2);
  });
});
