import { expect, it, onTestFinished, vi } from 'vitest';
import { createManualClock } from '../../testing/manual-clock.js';
import { createForeignExecution } from '../foreign-execution.js';
import { createRunClient } from './run-client.js';
import { toRun } from './run.js';
import { startScriptedRunner } from './scripted-runner.fixture.js';

/** A script that is posted to an endpoint; `unreached` is told once there is nothing more to come of it. */
function posted(endpoint: string) {
  const request = {
    ...{
      executionId: 'e',
      jobId: 'j',
      moduleId: 'm',
      capabilityId: 'script',
      timeoutMs: 1_000,
      metadata: {},
    },
    payload: { language: 'node', code: '1' },
  };
  const onUnreached = vi.fn<(reason: string) => void>();
  let isClosed = (): void => undefined;
  const closed = new Promise<void>((resolve) => (isClosed = resolve));
  const run = createRunClient().run({
    execution: createForeignExecution({
      ...{ id: 'e', request, clock: createManualClock(), onEvent: () => undefined },
    }),
    asked: toRun('e', request),
    target: { endpoint, secret: 's', runnerId: 'r' },
    ...{ onBytes: () => undefined, onUnreached, onClosed: isClosed, isPaused: false },
  });
  return { run, onUnreached, closed };
}

it('a script that is stopped while its runner is dialled says nothing of whether that is there', async () => {
  const runner = await startScriptedRunner();
  onTestFinished(() => runner.close());
  const { run, onUnreached, closed } = posted(runner.endpoint);
  run.stop();
  await closed;
  expect(onUnreached).not.toHaveBeenCalled();
});

it('a runner that does not listen where it said is unreached', async () => {
  const runner = await startScriptedRunner();
  await runner.close();
  const { onUnreached, closed } = posted(runner.endpoint);
  await closed;
  expect(onUnreached).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('ECONNREFUSED'));
});
