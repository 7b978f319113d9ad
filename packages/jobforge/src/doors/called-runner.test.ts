import { CONTRACT_VERSION_CURRENT, envelopeOf, type ErrorEnvelope } from '@controlplane/contracts';
import { expect, it } from 'vitest';
import { silentLog } from '../model/log.js';
import type { RunnerConnection } from '../model/runner-connection.js';
import { createManualClock } from '../testing/manual-clock.js';
import { createReadAnnounced } from './announced.js';
import { createCalledRunner } from './called-runner.js';
import type { DoorParts } from './door.js';
import { refusalOf } from './foreign-side.js';

const announcement = {
  ...{ name: 'builder', version: '1', contractVersion: CONTRACT_VERSION_CURRENT, machineId: 'cellar' },
  ...{ capabilities: [], tags: [], labels: {}, maxConcurrency: 1 },
  delivery: { kind: 'websocket' },
} as const;

function played(isRegisteredByCalls = true) {
  const lines: RunnerConnection[] = [];
  const clock = createManualClock();
  const nothing = (): void => undefined;
  const parts = {
    ...{ clock, instanceId: 'door', log: silentLog, readAnnounced: createReadAnnounced(silentLog, clock) },
    operations: {
      connectRunner(connection: RunnerConnection) {
        lines.push(connection);
        return { onFrame: nothing, onPong: nothing, onDrain: nothing, onClose: nothing };
      },
    },
  } as unknown as DoorParts;
  let gone = 0;
  const runner = createCalledRunner({
    ...{ ...parts, freshMs: 60_000, isRegisteredByCalls, onGone: () => void (gone += 1) },
    side: { bufferedBytes: () => 0, pause: nothing, resume: nothing, run: nothing, cancel: nothing },
  });
  const say = (frame: object): void => lines.at(-1)?.send(JSON.stringify(frame));
  const call = async (version = '1'): Promise<void> => {
    const called = runner.call({ caller: { kind: 'anyone' }, announcement: { ...announcement, version } });
    const registration = {
      ...{ success: true, runnerId: 'r', acceptedCapabilities: [], rejectedCapabilities: [], leaseMs: 5_000 },
      ...{ registeredAt: '2026-01-01T00:00:00.000Z', heartbeatIntervalMs: 10_000 },
      contractVersion: CONTRACT_VERSION_CURRENT,
    };
    say({ type: 'ready', registration });
    await called;
  };
  const end = async (code: number, error?: ErrorEnvelope): Promise<void> => {
    if (error !== undefined) say({ type: 'refused', error });
    lines.at(-1)?.close(code, 'why');
    await Promise.resolve();
  };
  return { runner, lines, clock, call, end, gone: () => gone };
}

it('a runner has one line for all its calls, until it announces something else', async () => {
  const { call, lines } = played();
  await call();
  await call();
  expect(lines).toHaveLength(1);
  await call('2');
  expect(lines).toHaveLength(2);
});

it('what a runner held is over at once where it was removed or refused', async () => {
  const removed = played();
  await removed.call();
  await removed.end(1000);
  expect(removed.gone()).toBe(1);
  const revoked = played(false);
  await revoked.call();
  await revoked.end(4003, envelopeOf('TOKEN_REVOKED', { service: 's' }));
  expect(revoked.gone()).toBe(1);
});

it.each([
  [true, 1001],
  [false, 1000],
])('and else two leases after its line (registered by its calls: %j, closed with %s)', async (by, code) => {
  const { call, end, clock, gone } = played(by);
  await call();
  await end(code);
  clock.advance(9_999);
  expect(gone()).toBe(0);
  clock.advance(1);
  expect(gone()).toBe(1);
});

it('a runner that comes back within that time goes on with what it held', async () => {
  const { runner, call, clock, gone } = played();
  await call();
  runner.leave();
  await Promise.resolve();
  clock.advance(9_000);
  await call();
  clock.advance(60_000);
  expect([gone(), runner.leaseMs()]).toEqual([0, 5_000]);
});

it('one that is refused beside the one that is there takes nothing from it', async () => {
  const { runner, lines, call, clock, gone } = played();
  await call();
  const another = runner.call({
    caller: { kind: 'anyone' },
    announcement: { ...announcement, name: 'another' },
    onAdmitted: () => expect.unreachable(),
  });
  lines[1]?.close(4003, 'refused');
  await expect(another).rejects.toThrow('refused');
  clock.advance(60_000);
  expect(gone()).toBe(0);
});

it('why a runner was let go of is passed on whole', () => {
  const error = { ...envelopeOf('SHUTTING_DOWN', { service: 's' }), retryAfter: 7, remedy: 'Wait.' };
  const refusal = refusalOf({ code: 4003, reason: 'x', error });
  expect(refusal.envelope).toMatchObject({ code: 'SHUTTING_DOWN', retryAfter: 7, remedy: 'Wait.' });
});
