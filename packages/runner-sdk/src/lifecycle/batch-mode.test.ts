import { describe, expect, test } from 'vitest';
import { createVirtualClock } from '../util/virtual-clock.js';
import { createHeld, post, requestOf, startRunner } from './runner-fixture.suite.js';

const DEREGISTER = /deregister$/;

async function startBatch(options: NonNullable<Parameters<typeof startRunner>[0]>) {
  const clock = createVirtualClock();
  const held = createHeld();
  const started = await startRunner({ clock, capabilities: [held.capability], ...options });
  await started.runner.ready();
  return { clock, held, ...started };
}

describe('a runner with an idle time', () => {
  test('stops once nothing has run for so long, and says why', async () => {
    const { clock, runner, controlPlane } = await startBatch({ idleTimeoutMs: 5_000 });
    await clock.advance(4_999);
    expect(runner.state).toBe('registered');
    const left = controlPlane.next(DEREGISTER);
    await clock.advance(1);
    expect((await left).body).toMatchObject({ reason: 'idle for 5000 ms' });
    await runner.stop();
    expect(runner.state).toBe('stopped');
  });

  test('is not idle while it runs something, and begins to count when that has ended', async () => {
    const { clock, runner, controlPlane, held, url } = await startBatch({ idleTimeoutMs: 5_000 });
    await clock.advance(4_000);
    const outcome = post(`${url}/execute`, requestOf('held'));
    await held.started;
    await clock.advance(8_000);
    expect(runner.state).toBe('registered');
    held.done.resolve('done');
    expect((await outcome).json).toMatchObject({ success: true });
    await clock.advance(4_999);
    expect(runner.state).toBe('registered');
    const left = controlPlane.next(DEREGISTER);
    await clock.advance(1);
    await left;
  });
});

test('a runner with a longest uptime drains then, and hands back what is not done in time', async () => {
  const { clock, runner, controlPlane, held, url } = await startBatch({
    maxUptimeMs: 60_000,
    drainMs: 1_000,
  });
  const outcome = post(`${url}/execute`, requestOf('held', {}, { timeoutMs: 600_000 }));
  await held.started;
  await clock.advance(59_999);
  expect(runner.state).toBe('registered');
  const announced = controlPlane.next(/heartbeat$/);
  const left = controlPlane.next(DEREGISTER);
  await clock.advance(1);
  expect((await announced).body).toMatchObject({ draining: true });
  expect(held.calls[0]?.shutdownSignal.aborted).toBe(true);
  expect(held.calls[0]?.signal.aborted).toBe(false);
  await clock.advance(1_000);
  expect((await outcome).json).toMatchObject({
    success: false,
    error: { code: 'RUNNER_SHUTDOWN', retryable: true },
  });
  expect((await left).body).toMatchObject({ reason: 'ran for 60000 ms' });
});
