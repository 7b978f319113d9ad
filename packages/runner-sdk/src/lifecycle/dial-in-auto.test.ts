import { describe, expect, test } from 'vitest';
import { createAskedClock } from '../util/asked-clock.suite.js';
import { startDialInControlPlane } from './dial-in-control-plane.suite.js';
import { dialIn } from './dial-in-runner.suite.js';
import { createHeld } from './runner-fixture.suite.js';

describe('auto', () => {
  test('takes the websocket', async () => {
    const plane = await startDialInControlPlane();
    const registered = plane.next('register');
    await (await dialIn(plane, { delivery: 'auto' })).ready();
    expect((await registered).registration.delivery).toEqual({ kind: 'websocket' });
  });

  test.each(['proxy', 'cut'] as const)(
    'polls where upgrades are blocked (%s), and says so once',
    async (upgrade) => {
      const plane = await startDialInControlPlane();
      plane.upgrade = upgrade;
      const lines: string[] = [];
      const take = (_fields: object | string, message?: string): void => void lines.push(message ?? '');
      const logger = { debug: () => undefined, info: () => undefined, warn: take, error: take };
      const held = createHeld();
      const runner = await dialIn(plane, { delivery: 'auto', logger, capabilities: [held.capability] });
      await runner.ready();
      plane.offer('e1');
      await held.started;
      held.done.resolve(1);
      expect(lines.filter((line) => line.includes('long-polling instead'))).toHaveLength(1);
    },
  );

  test('waits for a control plane that HTTP does not reach either', async () => {
    const plane = await startDialInControlPlane();
    await plane.close();
    const runner = await dialIn(plane, { delivery: 'auto' });
    await expect(runner.ready({ signal: AbortSignal.timeout(1_500) })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    expect(runner.state).toBe('registering');
  });

  test('dials a control plane that is down less and less often', async () => {
    const plane = await startDialInControlPlane();
    await plane.close();
    const clock = createAskedClock();
    const isBackoff = (delayMs: number): boolean => delayMs >= 250;
    let next = clock.asked(isBackoff);
    await dialIn(plane, { delivery: 'auto', clock, random: () => 1 });
    const delays: number[] = [];
    while (delays.length < 8) {
      const delayMs = await next;
      delays.push(delayMs);
      next = clock.asked(isBackoff);
      await clock.advance(delayMs);
    }
    expect(delays).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  test('tries the WebSocket again when it has to register again, and polls no more when that works', async () => {
    const plane = await startDialInControlPlane();
    plane.upgrade = 'proxy';
    plane.registration['heartbeatIntervalMs'] = 50;
    const held = createHeld();
    const runner = await dialIn(plane, { delivery: 'auto', capabilities: [held.capability] });
    await runner.ready();
    plane.upgrade = 'open';
    const dialled = plane.next('register', ({ registration }) => registration.delivery?.kind === 'websocket');
    plane.refuseRequests = 'SESSION_EXPIRED';
    await dialled;
    const requests = plane.authorizations.length;
    for (let beats = 0; beats < 4; beats++) await plane.next('heartbeat');
    // Nothing but the socket speaks any more: it was one upgrade.
    expect(plane.authorizations.length - requests).toBe(0);
    plane.offer('e1');
    await held.started;
    held.done.resolve(1);
  });
});
