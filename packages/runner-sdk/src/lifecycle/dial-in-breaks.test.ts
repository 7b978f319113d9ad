import { describe, expect, test } from 'vitest';
import { createAskedClock } from '../util/asked-clock.suite.js';
import { startDialInControlPlane } from './dial-in-control-plane.suite.js';
import { dialIn, isEnd } from './dial-in-runner.suite.js';
import { createHeld } from './runner-fixture.suite.js';

describe('a websocket that is cut', () => {
  test('before the claim was confirmed leaves the handler unrun', async () => {
    const plane = await startDialInControlPlane();
    const held = createHeld();
    await (await dialIn(plane, { delivery: 'websocket', capabilities: [held.capability] })).ready();
    plane.confirms = false;
    const claimed = plane.next('accept');
    plane.offer('e1');
    await claimed;
    const again = plane.next('register');
    plane.cut();
    expect((await again).registration.held).toEqual([]);
    expect(held.calls).toEqual([]);
  });

  test('keeps what runs, and tells its end over the next one', async () => {
    const plane = await startDialInControlPlane();
    const held = createHeld();
    await (await dialIn(plane, { delivery: 'websocket', capabilities: [held.capability] })).ready();
    plane.offer('e1');
    await held.started;
    const again = plane.next('register');
    plane.cut();
    held.done.resolve('late');
    const ended = plane.next('events', isEnd);
    expect((await again).registration.held).toEqual(['e1']);
    expect((await ended).executions[0]?.events.at(-1)).toMatchObject({ data: 'late' });
    expect(held.calls).toHaveLength(1);
  });

  test('tells an end again that was not acknowledged', async () => {
    const plane = await startDialInControlPlane();
    const held = createHeld();
    await (await dialIn(plane, { delivery: 'websocket', capabilities: [held.capability] })).ready();
    plane.offer('e1');
    await held.started;
    plane.acknowledges = false;
    const once = plane.next('events', isEnd);
    held.done.resolve(1);
    await once;
    plane.acknowledges = true;
    const twice = plane.next('events', isEnd);
    plane.cut();
    expect((await twice).executions[0]?.executionId).toBe('e1');
  });
});

test('a websocket over which the runner was asked twice to register stays when both are answered', async () => {
  const plane = await startDialInControlPlane();
  const clock = createAskedClock();
  const held = createHeld();
  await (await dialIn(plane, { delivery: 'websocket', capabilities: [held.capability], clock })).ready();
  const again = { type: 'directives', directives: [{ kind: 'register' }] };
  plane.send(again);
  plane.send(again);
  await plane.seen();
  await expect.poll(() => plane.count('register')).toBe(3);
  await plane.seen();
  await clock.advance(10_000);
  const ended = plane.next('events', isEnd);
  held.done.resolve(1);
  plane.offer('e1');
  await ended;
  expect(plane.authorizations).toHaveLength(1);
});

test('a poll that asked for nothing is followed by another when a claim that is refused frees its slot', async () => {
  const plane = await startDialInControlPlane();
  const held = createHeld();
  const slots = { capabilities: [held.capability], maxConcurrency: 1 };
  await (await dialIn(plane, { delivery: 'long-poll', ...slots })).ready();
  plane.confirms = false;
  plane.offer('e1');
  await expect.poll(() => plane.asked.at(-1)).toBe(0);
  plane.verdict = 'LEASE_SUPERSEDED';
  plane.answerClaims();
  await expect.poll(() => plane.asked.at(-1)).toBe(1);
  expect(held.calls).toEqual([]);
});
