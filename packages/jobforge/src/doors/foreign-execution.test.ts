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
  const fail = (code: ErrorCode, more: { readonly notBegun?: true } = {}) =>
    one.end({ type: 'failed', error: envelopeOf(code, { service: 's' }), ...more });
  return { one, told, fail, refusals: () => refusals };
}

describe('an execution', () => {
  it.each(['RUNNER_BUSY', 'RUNNER_DRAINING', 'RUNNER_UNREACHABLE'] as const)(
    'that its runner did not begin is handed back, with %s; one of which only the code says so is not',
    (code) => {
      const { told, fail, refusals } = execution();
      fail(code, { notBegun: true });
      fail(code, { notBegun: true });
      const ran = execution();
      ran.fail(code);
      expect(ran.told).toMatchObject([{ type: 'failed', error: { code } }]);
      expect(ran.refusals()).toBe(0);
      expect(told[0]).not.toHaveProperty('notBegun');
      expect(told).toMatchObject([{ type: 'failed', error: { code: 'RUNNER_SHUTDOWN', retryable: true } }]);
      expect(refusals()).toBe(1);
    },
  );

  it('has begun where something was told of it', () => {
    const { one, told, fail, refusals } = execution();
    one.output('stdout', 'on');
    fail('RUNNER_BUSY', { notBegun: true });
    expect(told[1]).not.toHaveProperty('notBegun');
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
