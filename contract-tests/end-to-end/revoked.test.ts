import { createJobForge } from '@controlplane/jobforge';
import { createRunner, defineCapability } from '@controlplane/runner-sdk';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';

const nothing = defineCapability({
  id: 'nothing',
  version: '1.0.0',
  description: 'Does nothing.',
  input: z.object({}),
  execute: () => undefined,
});
const quiet = (): void => undefined;

it.each(['push', 'websocket', 'long-poll'] as const)(
  'a runner that is revoked learns it and asks no more, by %s',
  async (delivery) => {
    const forge = await createJobForge({
      store: 'memory',
      listen: { port: 0 },
      auth: {},
      limits: { heartbeatIntervalMs: 200 },
    }).start();
    const token = await forge.operations.createToken(
      { kind: 'enrollment', name: 'eu', lifetimeMs: 60_000, maxMachines: 1, durable: true },
      'test',
    );
    const errors: unknown[] = [];
    const runner = createRunner({
      name: 'enrolled',
      machineId: 'machine-1',
      capabilities: [nothing],
      controlPlaneUrl: forge.url,
      credential: token.token,
      port: 0,
      handleSignals: false,
      delivery,
      logger: { debug: quiet, info: quiet, warn: quiet, error: (fields) => void errors.push(fields) },
    });
    onTestFinished(async () => {
      await runner.stop({ drainMs: 1 });
      await forge.stop({ drainMs: 0 });
    });
    await runner.start();
    await runner.ready();
    await forge.operations.revokeRunner(runner.runnerId ?? '', 'test');
    await expect.poll(() => runner.state, { timeout: 10_000 }).toBe('refused');
    expect(errors).toMatchObject([{ code: 'TOKEN_REVOKED' }]);
  },
);
