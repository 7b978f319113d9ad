import { createHash } from 'node:crypto';
import { envelopeOf, type ExecutionEvent, type TerminalEvent } from '@controlplane/contracts';
import { QUARTERBACK_TRUNCATED, type QuarterbackLogs } from '@controlplane/contracts/quarterback';
import { describe, expect, test } from 'vitest';
import { createTaskReport } from './from-event.js';
import { resolveQuarterbackOptions } from './options.js';
import { refusalOfCall, refusalOfRegistration } from './refusals.js';
import { createSessionLog, fitLogs } from './session-log.js';
import { fetchTaskFiles, wantedFiles } from './task-files.js';
import { timeoutMsOf, toRequest } from './to-request.js';

const ASSIGNMENT = { task_id: 't', prompt: 'say it', timeout_seconds: 5 };
const AT = { executionId: 'e', seq: 1, at: '2026-01-01T00:00:00.000Z' };
const ENDED = { ...AT, executionTimeMs: 12.4 };
const now = (): number => Date.UTC(2026, 0, 1);

const report = () => createTaskReport(ASSIGNMENT, 'container.run', now);
const output = (message: string, stream?: 'stdout' | 'stderr'): ExecutionEvent => ({
  ...AT,
  type: 'log',
  level: 'info',
  message,
  ...(stream === undefined ? {} : { stream }),
});
const failed = (code: string, value?: object): TerminalEvent => ({
  ...ENDED,
  type: 'failed',
  error: {
    ...envelopeOf('EXECUTION_FAILED', { service: 's', message: 'why' }),
    code,
    details: value === undefined ? [] : [{ message: 'how it ended', code: 'COMMAND_END', value }],
  },
});

describe('the end of an execution in the words of a Quarterback', () => {
  const end = (status: string, message: string) => ({
    task_id: 't',
    status,
    message,
    timestamp: AT.at,
    ...(status === 'success' ? { progress: 100 } : {}),
  });
  test.each<[string, TerminalEvent, object]>([
    [
      'a success',
      { ...ENDED, type: 'succeeded', data: { exitCode: 0 } },
      end('success', 'Task completed successfully'),
    ],
    ['an exit code', failed('COMMAND_FAILED', { exitCode: 3 }), end('error', 'Task failed with exit code 3')],
    ['a time limit', failed('EXECUTION_TIMEOUT'), end('error', 'Task timed out after 5 seconds')],
    ['a shutdown', failed('RUNNER_SHUTDOWN'), end('error', 'RUNNER_SHUTDOWN: why')],
    ['a cancel', { ...ENDED, type: 'cancelled', reason: 'user' }, end('error', 'Task was stopped: user')],
    ['anything else', failed('CONTAINER_NOT_STARTED'), end('error', 'CONTAINER_NOT_STARTED: why')],
  ])('%s', (_what, event, update) => {
    expect(report().end(event)).toEqual(update);
  });

  test('while it runs, a report shows what was printed since the last one, and how far it is', () => {
    const one = report();
    expect(one.running()).toMatchObject({ status: 'running', message: 'Task started' });
    one.take(output('first\n', 'stdout'));
    one.take({ ...AT, type: 'progress', fraction: 0.25, message: 'a quarter' });
    expect(one.running()).toMatchObject({ message: 'first\na quarter', progress: 25 });
    expect(one.running()).toMatchObject({ message: 'first\na quarter', progress: 25 });
    one.take(output(`${'x'.repeat(10_000)}é`, 'stderr'));
    expect(one.running().message).toMatch(/^x{4094}é$/);
  });

  test('everything that was said is the log, by who said it', () => {
    const one = report();
    for (const event of [output('a', 'stdout'), output('b\n', 'stdout'), output('c', 'stderr'), output('d')])
      one.take(event);
    one.end({ ...ENDED, type: 'succeeded', data: { found: 2 } });
    const { messages = [] } = one.logs().session;
    expect(messages.map(({ role, content }) => [role, content])).toEqual([
      ['user', 'say it'],
      ['assistant', 'ab\n'],
      ['tool', 'c'],
      ['system', 'd\n'],
      ['assistant', '{"found":2}\n'],
    ]);
  });

  test('a log that the task has written itself takes its place, with what it cost', () => {
    const one = report();
    one.take(output('printed', 'stdout'));
    one.replaceLog({
      id: 'own',
      cost: 0.5,
      prompt_tokens: 7,
      messages: [{ role: 'user', content: 'say it' }],
    });
    expect(one.logs().session).toMatchObject({ id: 'own', cost: 0.5, messages: [{ content: 'say it' }] });
    expect(one.end({ ...ENDED, type: 'succeeded' })).toMatchObject({ crush_session_id: 'own' });
  });
});

describe('a log that is too large', () => {
  const logsOf = (...contents: string[]): QuarterbackLogs => ({
    task_id: 't',
    session: { id: 't', messages: contents.map((content, at) => ({ id: String(at), content })) },
  });
  const bytesOf = (logs: QuarterbackLogs): number => Buffer.byteLength(JSON.stringify(logs));
  const contents = (logs: QuarterbackLogs): unknown[] =>
    (logs.session.messages ?? []).map(({ content }) => content);

  test('loses its oldest messages first', () => {
    const logs = logsOf('a'.repeat(500), 'b'.repeat(500), 'c'.repeat(500));
    const fitted = fitLogs(logs, 1_200);
    expect(contents(fitted)).toEqual(['b'.repeat(500), 'c'.repeat(500)]);
    expect(fitLogs(logs, bytesOf(logs) + 1)).toEqual(logs);
  });

  test('then the beginning of its last one, between characters', () => {
    const logs = logsOf('old', '😀"'.repeat(400));
    for (const limit of [300, 301, 302, 303, 304, 305]) {
      const fitted = fitLogs(logs, limit);
      expect(bytesOf(fitted)).toBeLessThanOrEqual(limit);
      expect(bytesOf(fitted)).toBeGreaterThan(limit - 8);
      const text = String(contents(fitted)[0]);
      expect(text.startsWith(QUARTERBACK_TRUNCATED)).toBe(true);
      expect(Buffer.from(text).toString('utf8')).toBe(text);
    }
  });

  test('then all of it', () => {
    expect(contents(fitLogs(logsOf('x'.repeat(100)), 60))).toEqual([]);
  });

  test('is not gathered without bound', () => {
    const log = createSessionLog({ taskId: 't', prompt: 'p', capabilityId: 'c' }, now);
    for (let count = 0; count < 300; count++) log.add('assistant', 'x'.repeat(64 * 1024));
    const { messages = [] } = log.session();
    expect(messages).toHaveLength(160);
    expect(messages.at(-1)?.id).toBe('t.300');
  });
});

describe('the files of a task', () => {
  const sha256 = createHash('sha256').update('content').digest('hex');
  const fetching = (answer: Buffer | undefined) => ({
    runner: {
      clock: {
        now,
        elapsed: now,
        setTimeout: (call: () => void) => queueMicrotask(call),
        clearTimeout: () => undefined,
      } as never,
      random: () => 0,
    },
    maxBytes: 100,
    signal: new AbortController().signal,
    fetchFile: () =>
      Promise.resolve(
        answer
          ? { ok: true as const, value: answer }
          : { ok: false as const, code: 'UNREACHABLE', message: 'gone', retryAfterMs: undefined },
      ),
  });

  test('are found under the last part of their name, each with its checksum', () => {
    expect(
      wantedFiles({ ...ASSIGNMENT, files: ['a/b.csv', String.raw`c\d.csv`], file_checksums: ['AB', ''] }),
    ).toEqual([
      { name: 'b.csv', sha256: 'ab' },
      { name: 'd.csv', sha256: undefined },
    ]);
  });

  test.each([
    [['a/x', 'b/x'], [], /two files of the task have the name "x"/],
    [['..'], [], /"\.\." is no name of a file/],
    [['a'], ['1', '2'], /1 files and 2 checksums/],
  ])('%j with the checksums %j are an error that is told', (files, file_checksums, reason) => {
    expect(() => wantedFiles({ ...ASSIGNMENT, files, file_checksums })).toThrow(reason);
  });

  test('are checked, and tried again where the control plane does not answer', async () => {
    const assignment = { ...ASSIGNMENT, files: ['a'], file_checksums: [sha256] };
    expect(await fetchTaskFiles(assignment, fetching(Buffer.from('content')))).toEqual([
      { name: 'a', content: Buffer.from('content').toString('base64'), encoding: 'base64' },
    ]);
    await expect(fetchTaskFiles(assignment, fetching(Buffer.from('other')))).rejects.toThrow(
      /has the SHA-256/,
    );
    await expect(fetchTaskFiles(assignment, fetching(undefined))).rejects.toThrow(
      /"a" could not be fetched: gone/,
    );
  });
});

describe('a task as an execution', () => {
  const options = resolveQuarterbackOptions(
    { registrationToken: 't', home: '/srv/victoria', image: 'v:1' },
    {},
  );
  test('is a container with the words of the control plane’s own runner', () => {
    const file = { name: 'a', content: '', encoding: 'base64' as const };
    expect(toRequest(ASSIGNMENT, [file], { executionId: 'q.t', options })).toMatchObject({
      executionId: 'q.t',
      capabilityId: 'container.run',
      timeoutMs: 5_000,
      payload: {
        image: 'v:1',
        command: ['--accept-license', '--task', 'say it'],
        env: { TASK_ID: 't', TASK_FILES_DIR: '/job/input' },
        files: [file],
        mounts: [{ source: '/srv/victoria', target: '/workspace/Victoria', readonly: false }],
      },
    });
  });

  test.each([
    [undefined, 3_600_000],
    [7, 7_000],
    [0, 2_147_483_647],
  ])('a limit of %s seconds is %i ms', (timeout_seconds, ms) => {
    expect(timeoutMsOf({ ...ASSIGNMENT, timeout_seconds })).toBe(ms);
  });

  test('seconds of the environment are milliseconds here, and what is no number is refused', () => {
    expect(resolveQuarterbackOptions({}, { POLL_INTERVAL: '5' }).pollIntervalMs).toBe(5_000);
    expect(() => resolveQuarterbackOptions({}, { POLL_INTERVAL: 'soon' })).toThrow(/POLL_INTERVAL/);
    expect(() => resolveQuarterbackOptions({}, { ORCHESTRATOR_URL: 'nowhere' })).toThrow(/ORCHESTRATOR_URL/);
  });
});

test.each([
  ['registration', 401, 'CREDENTIAL_INVALID'],
  ['registration', 422, 'CONTRACT_MISMATCH'],
  ['registration', 503, 'UNREADABLE'],
  ['call', 401, 'CREDENTIAL_INVALID'],
  ['call', 404, 'VALIDATION_ERROR'],
  ['call', 429, 'UNREADABLE'],
  ['call', 500, 'UNREADABLE'],
] as const)('a %s that is answered %i is refused as %s', (kind, status, code) => {
  const refusal = kind === 'registration' ? refusalOfRegistration : refusalOfCall;
  const answer = { status, detail: 'why', what: 'status', retryAfter: '2' };
  expect(refusal(answer)).toMatchObject({ code, retryAfterMs: code === 'UNREADABLE' ? 2_000 : undefined });
});
