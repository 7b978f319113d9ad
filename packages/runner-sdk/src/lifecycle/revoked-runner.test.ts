import { once } from 'node:events';
import { envelopeOf, type ErrorCode } from '@controlplane/contracts';
import { describe, expect, test } from 'vitest';
import { PERMANENT_REFUSALS } from '../hosts/refusals.js';
import { createAskedClock } from '../util/asked-clock.suite.js';
import { silentLogger } from '../util/logger.js';
import { startDialInControlPlane } from './dial-in-control-plane.suite.js';
import { dialIn } from './dial-in-runner.suite.js';
import { spawnRunner } from './runner-process.suite.js';

/** A control plane that hears of its runners often. */
async function startQuickPlane() {
  const plane = await startDialInControlPlane();
  plane.registration['heartbeatIntervalMs'] = 20;
  return plane;
}

describe.each(['push', 'long-poll'] as const)('a runner that may not stay (%s)', (delivery) => {
  test.each([
    ['TOKEN_REVOKED', 69],
    ['TOKEN_EXPIRED', 68],
    ['CREDENTIAL_INVALID', 67],
    ['CREDENTIAL_MISSING', 66],
    ['MACHINE_MISMATCH', 70],
    ['ROLE_REQUIRED', 72],
    ['RUNNER_MISMATCH', 73],
  ] as const)('is told so by its next registration, and asks no more: %s', async (code, exitCode) => {
    const plane = await startQuickPlane();
    const errors: unknown[] = [];
    const { debug, info, warn } = silentLogger;
    const logger = { debug, info, warn, error: (fields: object | string) => void errors.push(fields) };
    const runner = await dialIn(plane, { delivery, port: 0, logger });
    await runner.ready();
    const again = plane.next('register');
    plane.refuse = code;
    plane.refuseRequests = code;
    await again;
    await expect.poll(() => runner.state).toBe('refused');
    expect(errors).toMatchObject([{ code }]);
    expect(PERMANENT_REFUSALS[code]).toBe(exitCode);
    expect(plane.count('register')).toBe(2);
  });

  test('ends its process with the code of the refusal', async () => {
    const plane = await startQuickPlane();
    const registered = plane.next('register');
    const child = spawnRunner(plane.url, { RUNNER_DELIVERY: delivery });
    const exited = once(child, 'exit');
    await registered;
    plane.refuse = 'TOKEN_REVOKED';
    plane.refuseRequests = 'TOKEN_REVOKED';
    expect(await exited).toEqual([69, null]);
  });

  test('stays when its registration is taken', async () => {
    const plane = await startQuickPlane();
    const runner = await dialIn(plane, { delivery, port: 0 });
    await runner.ready();
    const again = plane.next('register');
    plane.refuseRequests = 'CREDENTIAL_INVALID';
    await again;
    plane.refuseRequests = undefined;
    await plane.next('heartbeat');
    expect(runner.state).toBe('registered');
  });
});

const refusedFrame = (code: ErrorCode) => ({
  type: 'refused',
  error: envelopeOf(code, { service: 'control-plane' }),
});

test('a refusal in the answer to an open poll leads to a registration', async () => {
  const plane = await startDialInControlPlane();
  const runner = await dialIn(plane, { delivery: 'long-poll' });
  await runner.ready();
  plane.refuse = 'TOKEN_REVOKED';
  plane.answerPoll(refusedFrame('TOKEN_REVOKED'));
  await expect.poll(() => runner.state).toBe('refused');
  expect(plane.count('register')).toBe(2);
});

test('a control plane that takes registrations and refuses polls is asked less and less often', async () => {
  const plane = await startDialInControlPlane();
  const clock = createAskedClock();
  plane.refuseRequests = 'CREDENTIAL_INVALID';
  const waits = [500, 1_000, 2_000].map((delayMs) => clock.asked((askedMs) => askedMs === delayMs));
  await dialIn(plane, { delivery: 'long-poll', clock, random: () => 0.999_999 });
  let registrations = 2;
  for (const wait of waits) {
    const delayMs = await wait;
    expect(plane.count('register')).toBe(registrations++);
    await clock.advance(delayMs);
  }
});
