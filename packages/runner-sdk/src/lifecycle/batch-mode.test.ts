import { describe, expect, test } from 'vitest';
import { createVirtualClock } from '../util/virtual-clock.js';
import { startDialInControlPlane } from './dial-in-control-plane.suite.js';
import { dialIn, isEnd } from './dial-in-runner.suite.js';
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

describe('a runner with a number of jobs', () => {
  test('lets the last one finish and tells it nothing, until it is stopped in another way', async () => {
    const { clock, runner, controlPlane, held, url } = await startBatch({ maxJobs: 1 });
    const announced = controlPlane.next(/heartbeat$/);
    const outcome = post(`${url}/execute`, requestOf('held', {}, { timeoutMs: 36_000_000 }));
    const { signal, shutdownSignal } = await held.started;
    expect((await announced).body).toMatchObject({ draining: true });
    await clock.advance(3_600_000);
    expect(shutdownSignal.aborted).toBe(false);
    const stopped = runner.stop({ drainMs: 1_000 });
    expect(shutdownSignal.aborted).toBe(true);
    await clock.advance(999);
    expect(signal.aborted).toBe(false);
    await clock.advance(1);
    expect((await outcome).json).toMatchObject({ error: { code: 'RUNNER_SHUTDOWN' } });
    await stopped;
  });

  test('begins no more than these, also of those that come at once', async () => {
    const { runner, held, url } = await startBatch({ maxJobs: 1 });
    const lines = ['e1', 'e2'].map((id) => JSON.stringify(requestOf('held', {}, { executionId: id })));
    const headers = { 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' };
    const answer = post(`${url}/execute`, lines.join('\n'), headers);
    await held.started;
    held.done.resolve(1);
    const ends = (await answer).lines.filter(({ type }) => type !== 'accepted');
    expect(ends).toMatchObject([
      { executionId: 'e2', type: 'failed', error: { code: 'RUNNER_BUSY', retryable: true } },
      { executionId: 'e1', type: 'succeeded' },
    ]);
    await runner.stop();
    expect(held.calls).toHaveLength(1);
  });
});

describe.each(['websocket', 'long-poll'] as const)('a runner with a number of jobs (%s)', (delivery) => {
  test('does not count what it was offered and did not get', async () => {
    const plane = await startDialInControlPlane();
    const held = createHeld();
    const runner = await dialIn(plane, { delivery, capabilities: [held.capability], maxJobs: 1 });
    await runner.ready();
    plane.verdict = 'LEASE_SUPERSEDED';
    const claimed = plane.next('accept');
    plane.offer('e1');
    await claimed;
    await plane.seen();
    if (delivery === 'long-poll') await expect.poll(() => plane.asked).toEqual([1, 0, 1]);
    plane.verdict = undefined;
    const ended = plane.next('events', isEnd);
    const left = plane.next('deregister');
    plane.offer('e2');
    held.done.resolve(1);
    expect((await ended).executions[0]).toMatchObject({ executionId: 'e2', events: [{ type: 'succeeded' }] });
    await left;
    await runner.stop();
  });

  test('begins no other while it waits whether one is its own', async () => {
    const plane = await startDialInControlPlane();
    const held = createHeld();
    const runner = await dialIn(plane, { delivery, capabilities: [held.capability], maxJobs: 1 });
    await runner.ready();
    plane.confirms = false;
    const claimed = plane.next('accept');
    plane.offer('e1');
    await claimed;
    const refused = plane.next('events', isEnd);
    plane.offer('e2');
    expect((await refused).executions[0]).toMatchObject({
      executionId: 'e2',
      events: [{ type: 'failed', error: { code: 'RUNNER_BUSY' } }],
    });
    const left = plane.next('deregister');
    if (delivery === 'long-poll') plane.answerClaims();
    else plane.send({ type: 'confirmed', executions: [{ executionId: 'e1' }] });
    held.done.resolve(1);
    await left;
    await runner.stop();
    expect(held.calls.map(({ executionId }) => executionId)).toEqual(['e1']);
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
