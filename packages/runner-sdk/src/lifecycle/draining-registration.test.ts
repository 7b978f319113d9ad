import { describe, expect, test } from 'vitest';
import { startDialInControlPlane } from './dial-in-control-plane.suite.js';
import { dialIn, isEnd } from './dial-in-runner.suite.js';
import { createHeld, post, requestOf } from './runner-fixture.suite.js';

const REGISTER = { directives: [{ kind: 'register' }] };

describe.each(['push', 'long-poll'] as const)('a runner that drains (%s)', (delivery) => {
  async function startDraining() {
    const plane = await startDialInControlPlane();
    plane.registration['heartbeatIntervalMs'] = 20;
    const held = createHeld();
    const runner = await dialIn(plane, { delivery, capabilities: [held.capability], port: 0 });
    await runner.ready();
    if (delivery === 'push') void post(`${runner.url}/execute`, requestOf('held', {}, { executionId: 'e1' }));
    else plane.offer('e1');
    await held.started;
    const draining = plane.next('heartbeat', ({ heartbeat }) => heartbeat.draining === true);
    const stopped = runner.stop();
    await draining;
    return { plane, held, stopped };
  }

  test('registers again when it is told to, says that it drains, and keeps the lease of what runs', async () => {
    const { plane, held, stopped } = await startDraining();
    const registered = plane.next('register');
    plane.heartbeatReply = REGISTER;
    const { registration } = await registered;
    plane.heartbeatReply = {};
    if (delivery === 'long-poll') expect(registration.held).toEqual(['e1']);
    for (let beats = 0; beats < 3; beats++) {
      const { heartbeat } = await plane.next('heartbeat');
      expect(heartbeat).toMatchObject({ draining: true, executions: ['e1'] });
    }
    const ended = delivery === 'push' ? undefined : plane.next('events', isEnd);
    const left = plane.next('deregister');
    held.done.resolve(1);
    await ended;
    await left;
    await stopped;
  });

  test('goes on trying to register while it holds something, and leaves when that has ended', async () => {
    const { plane, held, stopped } = await startDraining();
    const tried = plane.next('register');
    plane.refuse = 'SHUTTING_DOWN';
    plane.heartbeatReply = REGISTER;
    await tried;
    await plane.next('register');
    held.done.resolve(1);
    if (delivery === 'long-poll') {
      const ended = plane.next('events', isEnd);
      plane.refuse = undefined;
      plane.heartbeatReply = {};
      await ended;
    }
    await stopped;
    expect(plane.count('deregister')).toBe(1);
  });
});
