import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startDialInControlPlane } from './dial-in-control-plane.suite.js';
import { dialIn, isEnd, temporaryFolder } from './dial-in-runner.suite.js';
import { createHeld } from './runner-fixture.suite.js';

describe.each(['websocket', 'long-poll'] as const)('%s', (delivery) => {
  test('opens no port, says who it is, and proves it by a header alone', async () => {
    const plane = await startDialInControlPlane();
    const registered = plane.next('register');
    const runner = await dialIn(plane, { delivery, machineId: 'm-1', credential: 'enrol.secret' });
    await runner.ready();
    expect(runner.url).toBeUndefined();
    expect((await registered).registration).toMatchObject({
      machineId: 'm-1',
      delivery: { kind: delivery },
      held: [],
    });
    expect(plane.authorizations[0]).toBe('Bearer enrol.secret');
  });

  test('listens for probes when it is told a port', async () => {
    const plane = await startDialInControlPlane();
    const runner = await dialIn(plane, { delivery, port: 0 });
    await runner.ready();
    expect((await fetch(`${runner.url}/readyz`)).status).toBe(200);
  });

  test('runs what it claimed, and tells the end with the lease of its offer', async () => {
    const plane = await startDialInControlPlane();
    const held = createHeld();
    await (await dialIn(plane, { delivery, capabilities: [held.capability] })).ready();
    const ended = plane.next('events', isEnd);
    plane.offer('e1');
    await held.started;
    held.done.resolve({ fine: true });
    expect((await ended).executions[0]).toMatchObject({
      executionId: 'e1',
      leaseToken: 'lease-e1',
      events: [{ type: 'succeeded', seq: 1, data: { fine: true } }],
    });
  });

  test('does not run what another has got meanwhile, and its slot is free again', async () => {
    const plane = await startDialInControlPlane();
    const held = createHeld();
    await (await dialIn(plane, { delivery, capabilities: [held.capability], maxConcurrency: 1 })).ready();
    plane.verdict = 'LEASE_SUPERSEDED';
    const refused = plane.next('accept');
    plane.offer('e1');
    await refused;
    await plane.seen();
    const again = plane.next('accept');
    plane.verdict = undefined;
    plane.offer('e2');
    expect((await again).executions[0]?.executionId).toBe('e2');
    await held.started;
    expect(held.calls.map(({ executionId }) => executionId)).toEqual(['e2']);
  });

  test('stops what is not its own any more', async () => {
    const plane = await startDialInControlPlane();
    const held = createHeld();
    await (await dialIn(plane, { delivery, capabilities: [held.capability] })).ready();
    plane.offer('e1');
    const { signal, log } = await held.started;
    const aborted = new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));
    plane.verdict = 'LEASE_SUPERSEDED';
    log.info('still here');
    expect(await aborted).toMatchObject({ kind: 'lease-lost' });
  });

  test('keeps an end that nobody acknowledged in a file, and hands it over after a restart', async () => {
    const plane = await startDialInControlPlane();
    const stateDirectory = await temporaryFolder();
    const held = createHeld();
    const first = await dialIn(plane, { delivery, capabilities: [held.capability], stateDirectory });
    await first.ready();
    plane.offer('e1');
    await held.started;
    plane.acknowledges = false;
    const said = plane.next('events', isEnd);
    held.done.resolve('kept');
    await said;
    await first.stop();
    const [box = ''] = await readdir(join(stateDirectory, 'outbox'));
    const [file = ''] = await readdir(join(stateDirectory, 'outbox', box));
    expect((await stat(join(stateDirectory, 'outbox', box, file))).mode & 0o777).toBe(0o600);
    expect((await stat(join(stateDirectory, 'outbox'))).mode & 0o777).toBe(0o700);

    plane.acknowledges = true;
    const registered = plane.next('register');
    const handedOver = plane.next('events', isEnd);
    const second = await dialIn(plane, { delivery, stateDirectory });
    expect((await registered).registration.held).toEqual(['e1']);
    expect((await handedOver).executions[0]).toMatchObject({ executionId: 'e1', leaseToken: 'lease-e1' });
    await second.stop();
    expect(await readdir(join(stateDirectory, 'outbox', box))).toEqual([]);
  }, 15_000);

  test('keeps machine id and runner secret, and registers with the secret from then on', async () => {
    const plane = await startDialInControlPlane();
    const stateDirectory = await temporaryFolder();
    plane.registration['runnerSecret'] = 'the-secret';
    const registered = plane.next('register');
    const first = await dialIn(plane, { delivery, stateDirectory, credential: 'enrol' });
    await first.ready();
    await first.stop();
    const machineId = (await readFile(join(stateDirectory, 'machine-id'), 'utf8')).trim();
    expect((await registered).registration.machineId).toBe(machineId);
    plane.authorizations.length = 0;
    const again = plane.next('register');
    await (await dialIn(plane, { delivery, stateDirectory, credential: 'enrol' })).ready();
    expect((await again).registration.machineId).toBe(machineId);
    expect(plane.authorizations[0]).toBe('Bearer the-secret');
  });

  test('reads a credential from its file again at each registration', async () => {
    const plane = await startDialInControlPlane();
    const file = join(await temporaryFolder(), 'token');
    await writeFile(file, 'old\n');
    plane.refuse = 'SHUTTING_DOWN';
    const refused = plane.next('register');
    const runner = await dialIn(plane, { delivery, credential: { file } });
    await refused;
    await writeFile(file, 'new\n');
    plane.refuse = undefined;
    await runner.ready();
    expect(plane.authorizations).toContain('Bearer old');
    expect(plane.authorizations.at(-1)).toBe('Bearer new');
  });

  test.each([
    ['CONTRACT_MISMATCH', 65],
    ['CREDENTIAL_INVALID', 67],
    ['TOKEN_EXPIRED', 68],
    ['TOKEN_REVOKED', 69],
    ['MACHINE_MISMATCH', 70],
    ['ALREADY_CONNECTED', 71],
  ] as const)('ends for good with %s', async (code, exitCode) => {
    const plane = await startDialInControlPlane();
    plane.refuse = code;
    const runner = await dialIn(plane, { delivery });
    await expect(runner.ready()).rejects.toMatchObject({
      code: 'REGISTRATION_REFUSED',
      refusal: { code, exitCode, remedy: expect.any(String) },
    });
    expect(runner.state).toBe('refused');
    expect(plane.count('register')).toBe(1);
  });

  test('says that it drains, finishes, and leaves', async () => {
    const plane = await startDialInControlPlane();
    const held = createHeld();
    const runner = await dialIn(plane, { delivery, capabilities: [held.capability] });
    await runner.ready();
    plane.offer('e1');
    await held.started;
    const draining = plane.next('heartbeat', ({ heartbeat }) => heartbeat.draining === true);
    const ended = plane.next('events', isEnd);
    const left = plane.next('deregister');
    const stopped = runner.stop();
    await draining;
    held.done.resolve(1);
    await ended;
    await left;
    await stopped;
  });

  test('stops by itself after so many jobs, and lets the last one finish', async () => {
    const plane = await startDialInControlPlane();
    const held = createHeld();
    const runner = await dialIn(plane, { delivery, capabilities: [held.capability], maxJobs: 1 });
    await runner.ready();
    const left = plane.next('deregister');
    plane.offer('e1');
    await held.started;
    held.done.resolve(1);
    await left;
    await runner.stop();
    expect(runner.state).toBe('stopped');
  });
});
