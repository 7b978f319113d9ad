// The published builds of the testing entry under Node's own test runner: started by ../node-test.test.ts.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import * as sdk from '@controlplane/runner-sdk';
import * as testing from '@controlplane/runner-sdk/testing';
import { z } from 'zod';

const require = createRequire(import.meta.url);
const builds = {
  'ES module': { ...sdk, ...testing },
  CommonJS: { ...require('@controlplane/runner-sdk'), ...require('@controlplane/runner-sdk/testing') },
};

for (const [build, { createRunner, defineCapability, inMemoryHost, runCapability }] of Object.entries(
  builds,
)) {
  const wait = (clock) =>
    defineCapability({
      id: 'wait',
      version: '1.0.0',
      description: 'Waits.',
      input: z.object({ ms: z.number() }),
      output: z.object({ waited: z.number() }),
      execute({ ms }, ctx) {
        ctx.log.info('waiting', { ms });
        return new Promise((resolve) => clock.setTimeout(() => resolve({ waited: ms }), ms));
      },
    });

  await test(`${build}: one capability runs`, async () => {
    const { clock } = inMemoryHost();
    const run = await clock.advanceUntil(runCapability(wait(clock), { ms: 20_000 }, { clock }));
    assert.equal(run.outcome, 'succeeded');
    assert.deepEqual(run.data, { waited: 20_000 });
    assert.deepEqual(
      run.logs.map(({ message }) => message),
      ['waiting'],
    );
  });

  await test(`${build}: a runner works for a host in memory, whatever is lost on the way`, async () => {
    const host = inMemoryHost({ faults: { dropEvery: 3, duplicateEvery: 2 }, seed: 7 });
    const runner = createRunner({
      name: 'waiter',
      capabilities: [wait(host.clock)],
      hosts: [host],
      port: 0,
      handleSignals: false,
      logger: false,
    });
    await runner.start();
    const job = await host.submit('wait', { ms: 20_000 });
    await host.clock.advance('1m');
    assert.deepEqual(await job.outcome(), { state: 'completed', data: { waited: 20_000 }, attempts: 1 });
    const stopped = runner.stop();
    await host.clock.advance('1m');
    await stopped;
  });
}
