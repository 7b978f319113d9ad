import { SwampDispatch } from '@controlplane/contracts/swamp';
import { describe, expect, it } from 'vitest';
import { createCommandOutput } from '../command-outcome.js';
import { refusedOutcome, toDispatch, toOutcome } from './dispatch.js';

const asked = (payload: Record<string, unknown>, dialect: 'posix' | 'line' = 'posix') =>
  toDispatch(
    {
      ...{ jobId: 'j', executionId: 'e', moduleId: 'm', capabilityId: 'shell.full' },
      ...{ payload, timeoutMs: 1_500, metadata: {} },
    },
    dialect,
    'a-credential',
  );

describe('an execution as a dispatch', () => {
  it.each([
    [{ command: 'ls' }, { run: 'ls', timeout: 1_500 }],
    [{ argv: ['ls', 'a b'] }, { run: "'ls' 'a b'", timeout: 1_500 }],
    [
      { command: 'ls', cwd: '/x', env: { A: '1' } },
      { run: 'ls', timeout: 1_500, workingDir: '/x', env: { A: '1' } },
    ],
    [
      { command: 'ls', exitCodes: [0, 1] },
      { run: 'ls', timeout: 1_500, ignoreExitCode: true },
    ],
  ])('%j', (payload, methodArgs) => {
    const { dispatch } = asked(payload);
    expect(SwampDispatch.parse(dispatch)).toMatchObject({
      ...{ dispatchId: 'e', dispatchCredential: 'a-credential', environmentSnapshot: {} },
      execution: { modelType: 'command/shell', methodName: 'execute', protocolVersion: 4 },
    });
    expect(dispatch.execution.methodArgs).toEqual(methodArgs);
  });

  it('is a line alone where the shell is none of POSIX', () => {
    expect(asked({ command: 'dir' }, 'line').dispatch.execution.methodArgs).toMatchObject({ run: 'dir' });
    expect(() => asked({ command: 'dir', cwd: 'C:/' }, 'line')).toThrow(/`cwd`/);
    expect(() => asked({ command: 'ls', env: { 'A B': '1' } })).toThrow(/no command/);
  });
});

describe('the answer to a dispatch', () => {
  const success = { status: 'success', outputs: [], logs: [], durationMs: 7 } as const;
  const error = (text: string) => ({ ...success, status: 'error', error: text }) as const;
  const record = { exitCode: 4, stdout: 'written', stderr: '' };

  it.each([
    [success, {}, { type: 'succeeded', data: { exitCode: 0, stdout: 'streamed\n', durationMs: 7 } }],
    [success, { record }, { type: 'failed', error: { code: 'COMMAND_FAILED' } }],
    [
      success,
      { record, exitCodes: [4] },
      { type: 'succeeded', data: { exitCode: 4, stdout: 'written', stdoutBytes: 7 } },
    ],
    [success, { exitCodes: [0, 4] }, { type: 'failed', error: { code: 'RUNNER_PROTOCOL_ERROR' } }],
    [
      error('Command exited with code 3'),
      {},
      { type: 'failed', error: { code: 'COMMAND_FAILED', details: [{ value: { exitCode: 3 } }] } },
    ],
    [error('Command timed out after 300 ms'), {}, { type: 'failed', error: { code: 'EXECUTION_TIMEOUT' } }],
    [error('no such model'), {}, { type: 'failed', error: { code: 'COMMAND_REFUSED', retryable: false } }],
    [error('RUNNER_SHUTDOWN: it goes'), {}, { type: 'failed', error: { code: 'RUNNER_SHUTDOWN' } }],
    [
      error('Runner crashed with exit code 143'),
      { cancelled: 'user' },
      { type: 'cancelled', reason: 'user', message: 'Runner crashed with exit code 143' },
    ],
  ] as const)('%j with %j', (result, more, outcome) => {
    const output = createCommandOutput();
    output.stdout.push('streamed\n');
    const facts = { exitCodes: [0], cancelled: undefined, record: undefined, output, ...more };
    expect(toOutcome({ ...result, outputs: [], logs: [] }, facts)).toMatchObject(outcome);
  });

  it.each([
    ['worker_busy', undefined, { error: { code: 'RUNNER_BUSY' }, notBegun: true }],
    ['worker_draining', undefined, { error: { code: 'RUNNER_DRAINING' }, notBegun: true }],
    ['cancelled', 'user', { type: 'cancelled', reason: 'user' }],
    ['cancelled', undefined, { error: { code: 'RUNNER_SHUTDOWN', retryable: true } }],
    ['handler_failed', undefined, { error: { code: 'COMMAND_REFUSED', retryable: false } }],
  ] as const)('that is none but %s, when told to stop by %s', (code, cancelled, outcome) => {
    expect(refusedOutcome({ code, message: 'why' }, cancelled)).toMatchObject(outcome);
  });
});
