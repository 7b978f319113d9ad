import { RunnerHeartbeat } from '@controlplane/contracts';
import { expect, it, onTestFinished } from 'vitest';
import { engineRefusing } from '../testing/engine-over.fixture.js';
import { startStubRunner } from '../testing/stub-runner.js';

it.each([true, false])('a runner that cannot be deleted stays as it was: draining %s', async (draining) => {
  const { operations } = await engineRefusing('remove-runner');
  const runner = await startStubRunner({ form: 'batch', handle: ({ accept }) => accept() });
  onTestFinished(() => runner.close());
  const { runnerId } = await operations.registerRunner(runner.registration());
  const timestamp = new Date().toISOString();
  const beat = { runnerId, timestamp, status: 'healthy', instanceId: 'i1', draining };
  await operations.heartbeat(RunnerHeartbeat.parse(beat));
  await expect(operations.deleteRunner(runnerId, { force: 'true' })).rejects.toMatchObject({
    envelope: { code: 'STORE_UNAVAILABLE' },
  });
  expect(await operations.showRunner(runnerId)).toMatchObject({ draining });
});
