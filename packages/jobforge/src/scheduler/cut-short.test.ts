import { createErrorEnvelope } from '@controlplane/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { openDialIns } from '../testing/dial-in-forge.js';
import { eventsOf } from '../testing/dial-in-runner.js';
import { ECHO } from '../testing/stub-runner.js';

const test = openDialIns();
afterEach(() => test.close());

describe('what writes and is cut short', () => {
  const ANNOUNCES = [{ ...ECHO, effects: 'writes', announcesWrites: true }];
  const SILENT = [{ ...ECHO, effects: 'writes' }];
  const TIMEOUT = { code: 'EXECUTION_TIMEOUT', category: 'TIMEOUT', retryable: true } as const;
  const SHUTDOWN = { code: 'RUNNER_SHUTDOWN', category: 'SERVICE_UNAVAILABLE', retryable: true } as const;
  const THROWN = { code: 'EXECUTION_FAILED', category: 'RUNTIME_ERROR', retryable: true } as const;
  const AGAIN = { success: true, metadata: { attempts: 2 } };
  const FAILED = { success: false, metadata: { attempts: 1 } };
  it.each([
    ['by its time limit before it has announced it, is tried again', ANNOUNCES, [], TIMEOUT, AGAIN],
    ['by its time limit after that, has failed', ANNOUNCES, [{ type: 'writing' }], TIMEOUT, FAILED],
    ['by its time limit and announces nothing, has failed', SILENT, [], TIMEOUT, FAILED],
    ['by a shutdown before it has announced it, is handed back', ANNOUNCES, [], SHUTDOWN, AGAIN],
    ['by a shutdown after that, has failed', ANNOUNCES, [{ type: 'writing' }], SHUTDOWN, FAILED],
    ['by a shutdown and announces nothing, is handed back', SILENT, [], SHUTDOWN, AGAIN],
    ['by its own handler, is tried again as that says', ANNOUNCES, [{ type: 'writing' }], THROWN, AGAIN],
  ])('%s', async (...[, capabilities, said, error, result]) => {
    const forge = await test.listening();
    const runner = await test.dialIn(forge.url, { capabilities });
    const retryPolicy = { maxRetries: 1, backoffMs: 0 };
    const job = await forge.submit({ capability: 'echo', input: { text: 'hi' }, retryPolicy });
    const offered = await runner.offer();
    await runner.accept(offered);
    const envelope = createErrorEnvelope({ ...error, severity: 'error', message: 'Cut', service: 'r' });
    const failed = { type: 'failed', executionTimeMs: 1, error: envelope };
    runner.tell(offered, ...eventsOf(offered, [...said, failed], 1));
    void runner.offer().then(async (again) => {
      await runner.accept(again);
      runner.succeed(again);
    });
    const found = await job.result();
    expect(found).toMatchObject(result);
    if (found.success) return;
    expect(found.error).toMatchObject({ code: error.code, retryable: false });
    expect(found.error?.message).toContain('It may have written');
  });
});
