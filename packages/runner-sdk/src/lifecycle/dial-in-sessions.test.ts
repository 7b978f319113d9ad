import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineCapability } from '../capability/define-capability.js';
import { controlPlane } from '../hosts/control-plane/control-plane.js';
import type { RunnerMetric } from '../observability/metrics.js';
import { createAskedClock } from '../util/asked-clock.suite.js';
import { createDeferred } from '../util/deferred.js';
import { startDialInControlPlane } from './dial-in-control-plane.suite.js';
import { dialIn, isEnd } from './dial-in-runner.suite.js';
import { createHeld } from './runner-fixture.suite.js';

describe.each(['websocket', 'long-poll'] as const)('%s', (delivery) => {
  test('does not come back sooner than a refusal says', async () => {
    const plane = await startDialInControlPlane();
    const clock = createAskedClock();
    plane.refuse = 'SHUTTING_DOWN';
    plane.retryAfter = 40;
    const told = clock.asked((delayMs) => delayMs === 40_000);
    const runner = await dialIn(plane, { delivery, clock });
    await told;
    plane.refuse = undefined;
    await clock.advance(39_999);
    expect(plane.count('register')).toBe(1);
    await clock.advance(1);
    await runner.ready();
  });
});

test('a websocket does not come back sooner than a refused upgrade says', async () => {
  const plane = await startDialInControlPlane();
  const clock = createAskedClock();
  plane.upgrade = 'busy';
  const told = clock.asked((delayMs) => delayMs === 40_000);
  const runner = await dialIn(plane, { delivery: 'websocket', clock });
  await told;
  plane.upgrade = 'open';
  await clock.advance(39_999);
  expect(plane.authorizations).toHaveLength(1);
  await clock.advance(1);
  await runner.ready();
});

test('a websocket that the other side does not read holds the log back, and loses none of it', async () => {
  const plane = await startDialInControlPlane();
  const spoken = createDeferred<void>();
  const talkative = defineCapability({
    id: 'talkative',
    version: '1.0.0',
    description: 'Says a lot.',
    input: z.object({}),
    async execute(_input, { log }) {
      for (let index = 0; index < 20_000; index++) {
        log.info(`${index} ${'x'.repeat(900)}`);
        if (index % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      spoken.resolve();
    },
  });
  const maxLogBytes = 64 * 1024 * 1024;
  await (await dialIn(plane, { delivery: 'websocket', capabilities: [talkative], maxLogBytes })).ready();
  const accepted = plane.next('accept');
  const ended = plane.next('events', isEnd);
  plane.offer('e1', 'talkative');
  await accepted;
  plane.read(false);
  await spoken.promise;
  plane.read(true);
  await ended;
  const events = plane.said.flatMap(({ frame }) =>
    frame?.type === 'events' ? frame.executions.flatMap((execution) => execution.events) : [],
  );
  const dropped = events.at(-1);
  const seqs = events.map(({ seq }) => seq);
  expect(seqs).toEqual([...new Set(seqs)].toSorted((left, right) => left - right));
  const { droppedEvents = 0 } = dropped as { droppedEvents?: number };
  expect(events.filter(({ type }) => type === 'log').length + droppedEvents).toBe(20_000);
}, 20_000);

test('a websocket over which no work is said to come is made anew, and the runner is not ready meanwhile', async () => {
  const plane = await startDialInControlPlane();
  plane.registration['heartbeatIntervalMs'] = 50;
  plane.heartbeatReply = { receiving: false };
  const runner = await dialIn(plane, { delivery: 'websocket', port: 0 });
  await runner.ready();
  await plane.next('heartbeat');
  await plane.seen();
  expect(await (await fetch(`${runner.url}/readyz`)).json()).toMatchObject({ ok: false });
  await plane.next('register');
  plane.heartbeatReply = {};
  await plane.next('heartbeat');
  await plane.seen();
  const { status } = await fetch(`${runner.url}/readyz`);
  expect({ status, dialled: plane.authorizations.length }).toEqual({ status: 200, dialled: 2 });
});

describe('a session credential', () => {
  const credentialOf = (token: string, expiresMs: number) => ({
    token,
    expiresAt: new Date(expiresMs).toISOString(),
  });

  test('is renewed by heartbeats, and proves the runner while it lasts', async () => {
    const plane = await startDialInControlPlane();
    const clock = createAskedClock();
    const minuteMs = 60_000;
    plane.registration['sessionCredential'] = credentialOf('session-1', clock.now() + minuteMs);
    plane.heartbeatReply = { sessionCredential: credentialOf('session-2', clock.now() + 2 * minuteMs) };
    const runner = await dialIn(plane, { delivery: 'long-poll', clock, credential: 'enrol' });
    await runner.ready();
    const beat = async (): Promise<string | undefined> => {
      const heard = plane.next('heartbeat');
      await clock.advance(11_000);
      await heard;
      return plane.authorizations.at(-1);
    };
    expect(plane.authorizations[0]).toBe('Bearer enrol');
    expect(await beat()).toBe('Bearer session-1');
    plane.heartbeatReply = {};
    expect(await beat()).toBe('Bearer session-2');
    await clock.advance(2 * minuteMs);
    expect(await beat()).toBe('Bearer enrol');
  });

  test.each(['push', 'long-poll'] as const)(
    'that is not taken any more leads to a new registration (%s)',
    async (delivery) => {
      const plane = await startDialInControlPlane();
      plane.registration['heartbeatIntervalMs'] = 50;
      const lastsMs = Date.now() + 60_000;
      plane.registration['sessionCredential'] = credentialOf('session-1', lastsMs);
      const runner = await dialIn(plane, { delivery, credential: 'enrol', port: 0 });
      await runner.ready();
      plane.registration['sessionCredential'] = credentialOf('session-2', lastsMs);
      const again = plane.next('register');
      plane.refuseRequests = 'SESSION_EXPIRED';
      await again;
      expect(plane.authorizations.at(-1)).toBe('Bearer enrol');
      plane.refuseRequests = undefined;
      await plane.next('heartbeat');
      expect(plane.authorizations.at(-1)).toBe('Bearer session-2');
      expect(runner.state).toBe('registered');
    },
  );
});

test('several hosts share the slots of a runner, and it leaves all of them by one drain', async () => {
  const first = await startDialInControlPlane();
  const second = await startDialInControlPlane();
  const held = createHeld();
  const metrics: RunnerMetric[] = [];
  const runner = await dialIn(first, {
    capabilities: [held.capability],
    maxConcurrency: 1,
    onMetric: (metric) => void metrics.push(metric),
    hosts: [
      controlPlane({ url: first.url, delivery: 'websocket' }),
      controlPlane({ url: second.url, delivery: 'long-poll' }),
    ],
  });
  await runner.ready();
  expect(metrics.filter(({ kind }) => kind === 'connected')).toEqual(
    expect.arrayContaining([
      { kind: 'connected', host: 'controlplane', again: false },
      { kind: 'connected', host: 'controlplane#2', again: false },
    ]),
  );
  first.offer('e1');
  await held.started;
  const refused = second.next('events', isEnd);
  second.offer('e2');
  expect((await refused).executions[0]?.events).toMatchObject([
    { type: 'failed', error: { code: 'RUNNER_BUSY' } },
  ]);

  const saidDraining = [first, second].map((plane) =>
    plane.next('heartbeat', ({ heartbeat }) => heartbeat.draining === true),
  );
  const left = [first, second].map((plane) => plane.next('deregister'));
  const ended = first.next('events', isEnd);
  const stopped = runner.stop();
  await Promise.all(saidDraining);
  expect(first.count('deregister') + second.count('deregister')).toBe(0);
  held.done.resolve('done');
  expect((await ended).executions[0]?.events.at(-1)).toMatchObject({ type: 'succeeded', data: 'done' });
  await Promise.all([...left, stopped]);
  expect(held.calls).toHaveLength(1);
});
