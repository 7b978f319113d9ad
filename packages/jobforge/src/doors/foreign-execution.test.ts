import { envelopeOf, type ErrorCode, type ExecutionEvent } from '@controlplane/contracts';
import { describe, expect, it } from 'vitest';
import { createManualClock } from '../testing/manual-clock.js';
import { createForeignExecution } from './foreign-execution.js';

function execution() {
  const told: ExecutionEvent[] = [];
  let refusals = 0;
  const one = createForeignExecution({
    ...{ id: 'e', clock: createManualClock(), onEvent: (event) => void told.push(event) },
    request: {
      ...{ executionId: 'e', jobId: 'j', moduleId: 'm', capabilityId: 'shell.full', payload: {} },
      ...{ timeoutMs: 1_000, metadata: {} },
    },
    onNotNow: () => void (refusals += 1),
  });
  const fail = (code: ErrorCode) => one.end({ type: 'failed', error: envelopeOf(code, { service: 's' }) });
  return { one, told, fail, refusals: () => refusals };
}

describe('an execution', () => {
  it.each(['RUNNER_BUSY', 'RUNNER_DRAINING', 'RUNNER_UNREACHABLE'] as const)(
    'that its runner did not begin and ends with %s is handed back',
    (code) => {
      const { told, fail, refusals } = execution();
      fail(code);
      fail(code);
      expect(told).toMatchObject([{ type: 'failed', error: { code: 'RUNNER_SHUTDOWN', retryable: true } }]);
      expect(refusals()).toBe(1);
    },
  );

  it('has begun where something was told of it', () => {
    const { one, told, fail, refusals } = execution();
    one.output('stdout', 'on');
    fail('RUNNER_BUSY');
    expect(told[1]).toMatchObject({ error: { code: 'RUNNER_BUSY' } });
    expect(refusals()).toBe(0);
  });

  it('ends as it fails', () => {
    const { told, fail, refusals } = execution();
    fail('EXECUTION_TIMEOUT');
    expect(told).toMatchObject([{ error: { code: 'EXECUTION_TIMEOUT' } }]);
    expect(refusals()).toBe(0);
  });
});
