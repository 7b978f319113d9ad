import { describe, expect, it } from 'vitest';
import { createCommandOutput } from '../command-outcome.js';
import { toExecRequest, toOutcome } from './exec.js';

describe('an execution as an exec_request', () => {
  it.each([
    [1, 1],
    [1_000, 1],
    [1_001, 2],
    [30_000, 30],
  ])('%s ms are %s s', (timeoutMs, seconds) => {
    expect(toExecRequest('e', { timeoutMs }, { command: 'ls', exitCodes: [0] })).toEqual({
      ...{ type: 'exec_request', job_id: 'e', command: 'ls', timeout_secs: seconds },
    });
  });
});

describe('the end of a command', () => {
  const done = (exit_code: number) =>
    ({ type: 'exec_done', job_id: 'e', exit_code, duration_ms: 12 }) as const;
  const notBegun = (code: string) => ({ type: 'failed', error: { code }, notBegun: true });
  const wrong = (error: string) => ({ type: 'exec_error', job_id: 'e', error }) as const;

  it.each([
    [
      done(0),
      {},
      { type: 'succeeded', data: { exitCode: 0, durationMs: 12, stdout: 'out', stdoutBytes: 3 } },
    ],
    [done(3), {}, { type: 'failed', error: { code: 'COMMAND_FAILED', retryable: false } }],
    [done(3), { exitCodes: [3] }, { type: 'succeeded', data: { exitCode: 3 } }],
    [done(143), { cancelled: 'user' }, { type: 'cancelled', reason: 'user' }],
    [done(143), {}, { type: 'failed', error: { code: 'COMMAND_FAILED' } }],
    [
      wrong('Command timed out after 2 seconds'),
      {},
      { type: 'failed', error: { code: 'EXECUTION_TIMEOUT' } },
    ],
    [wrong('Runner is busy with another job'), {}, notBegun('RUNNER_BUSY')],
    [wrong('RUNNER_DRAINING: it goes'), {}, notBegun('RUNNER_DRAINING')],
    [wrong('RUNNER_BUSY: says my script'), {}, { error: { code: 'RUNNER_BUSY' } }],
    [
      wrong('RUNNER_SHUTDOWN: the runner goes'),
      {},
      { type: 'failed', error: { code: 'RUNNER_SHUTDOWN', message: 'the runner goes', retryable: true } },
    ],
    [
      wrong('COMMAND_NOT_ALLOWED: rm timed out of favour'),
      {},
      { type: 'failed', error: { code: 'COMMAND_NOT_ALLOWED', retryable: false } },
    ],
    [
      wrong('spawn ENOENT'),
      {},
      { type: 'failed', error: { code: 'COMMAND_REFUSED', message: 'spawn ENOENT' } },
    ],
    [wrong('anything'), { cancelled: 'shutdown' }, { type: 'cancelled', reason: 'shutdown' }],
  ] as const)('%j with %j', (frame, more, outcome) => {
    const output = createCommandOutput();
    output.stdout.push('out');
    const end = { exitCodes: [0], cancelled: undefined, ...more };
    expect(toOutcome(frame, end, output)).toMatchObject(outcome);
  });

  it('keeps the first 50 KB of a stream and no part of a character', () => {
    const output = createCommandOutput();
    output.stdout.push(`a${'é'.repeat(30_000)}`);
    output.stdout.push('more');
    const outcome = toOutcome(done(0), { exitCodes: [0], cancelled: undefined }, output);
    expect(outcome).toMatchObject({
      data: { stdout: `a${'é'.repeat(25_599)}`, stdoutBytes: 60_005, droppedBytes: 60_005 - 51_199 },
    });
  });
});
