import { CONTRACT_VERSION_CURRENT, type RunnerFrame } from '@controlplane/contracts';
import { describe, expect, it } from 'vitest';
import type { RunnerConnection } from '../model/runner-connection.js';
import { createManualClock } from '../testing/manual-clock.js';
import type { DoorParts } from './door.js';
import type { ForeignExecution } from './foreign-execution.js';
import { createForeignRunner } from './foreign-runner.js';
import type { ForeignSide } from './foreign-side.js';

const announcement = {
  ...{ name: 'builder', version: '1', contractVersion: CONTRACT_VERSION_CURRENT, machineId: 'cellar' },
  ...{ capabilities: [], tags: [], labels: {}, maxConcurrency: 1 },
  delivery: { kind: 'websocket' },
} as const;

/** What JobForge hears of one connection, and how it answers. */
interface Heard {
  readonly frames: RunnerFrame[];
  readonly connection: RunnerConnection;
}

function played() {
  const lines: Heard[] = [];
  const begun: ForeignExecution[] = [];
  const connectRunner: DoorParts['operations']['connectRunner'] = (connection) => {
    const frames: RunnerFrame[] = [];
    lines.push({ frames, connection });
    const nothing = (): void => undefined;
    return {
      onFrame: (frame) => void frames.push(frame),
      ...{ onPong: nothing, onDrain: nothing, onClose: nothing },
    };
  };
  const parts = {
    ...{ clock: createManualClock(), instanceId: 'door', log: () => undefined },
    operations: { connectRunner },
  } as unknown as DoorParts;
  const runner = createForeignRunner(parts);
  const dial = () => {
    const nothing = (): void => undefined;
    const side: ForeignSide = {
      ...{ bufferedBytes: () => 0, ping: nothing, pause: nothing, resume: nothing, terminate: nothing },
      ...{ onReady: nothing, cancel: nothing },
      run: (execution) => void begun.push(execution),
      end: () => queueMicrotask(() => line.onClose()),
    };
    const line = runner.connect({ caller: { kind: 'anyone' }, announcement, side });
    const heard = lines.at(-1);
    if (heard === undefined) throw new Error('it has not connected');
    const say = (frame: object): void => heard.connection.send(JSON.stringify(frame));
    return { line, frames: heard.frames, connection: heard.connection, say };
  };
  return { runner, dial, begun };
}

const registration = {
  ...{ success: true, runnerId: 'r', acceptedCapabilities: [], rejectedCapabilities: [] },
  ...{
    registeredAt: '2026-01-01T00:00:00.000Z',
    heartbeatIntervalMs: 10_000,
    contractVersion: CONTRACT_VERSION_CURRENT,
    leaseMs: 20_000,
  },
};
const request = {
  ...{ executionId: 'e', jobId: 'j', moduleId: 'm', capabilityId: 'shell.full', leaseToken: 't'.repeat(32) },
  ...{ payload: {}, timeoutMs: 1_000, metadata: {} },
};

/** A runner that runs one execution over its first connection. */
async function running() {
  const { runner, dial, begun } = played();
  const first = dial();
  first.say({ type: 'ready', registration });
  first.say({ type: 'offers', executions: [request] });
  first.say({ type: 'confirmed', executions: [{ executionId: 'e' }] });
  const [execution] = begun;
  if (execution === undefined) throw new Error('nothing has begun');
  await Promise.resolve();
  return { runner, dial, first, execution };
}

const eventsIn = (frames: readonly RunnerFrame[]) =>
  frames.flatMap((frame) => (frame.type === 'events' ? frame.executions : []));

describe('a runner of another kind', () => {
  it('tells over the connection that was taken in, whoever else dials in its place and is refused', async () => {
    const { runner, dial, first, execution } = await running();
    const second = dial();
    execution.output('stdout', 'one');
    second.connection.close(4003, 'refused');
    await Promise.resolve();
    execution.end({ type: 'succeeded', data: {} });
    await Promise.resolve();
    const told = eventsIn(first.frames).flatMap(({ events }) => events.map(({ seq }) => seq));
    expect(told).toEqual([1, 2]);
    expect(eventsIn(second.frames)).toEqual([]);
    first.line.onClose();
    first.say({ type: 'acknowledged', executions: [{ executionId: 'e', seq: 2 }] });
    expect(runner.isIdle()).toBe(true);
  });

  it('does not begin what is cancelled between the claim and its confirmation', async () => {
    const { dial, begun } = played();
    const { say, frames } = dial();
    say({ type: 'ready', registration });
    say({ type: 'offers', executions: [request] });
    say({ type: 'directives', directives: [{ kind: 'cancel', executionId: 'e', reason: 'user' }] });
    say({ type: 'confirmed', executions: [{ executionId: 'e' }] });
    await Promise.resolve();
    expect(begun).toEqual([]);
    expect(eventsIn(frames)).toMatchObject([{ events: [{ type: 'cancelled', reason: 'user' }] }]);
  });

  it('is not forgotten while its next connection is being taken in', async () => {
    const { runner, dial } = played();
    const { line } = dial();
    expect(runner.isIdle()).toBe(false);
    line.onClose();
    expect(runner.isIdle()).toBe(true);
  });

  it('tells what comes in one go in one report, and again what was not acknowledged', async () => {
    const { dial, first, execution } = await running();
    for (let count = 1; count <= 5_000; count += 1) execution.note('info', '');
    await Promise.resolve();
    const reports = eventsIn(first.frames);
    expect(reports).toHaveLength(1);
    expect(reports[0]?.events).toHaveLength(5_000);
    first.say({ type: 'acknowledged', executions: [{ executionId: 'e', seq: 4_998 }] });
    const second = dial();
    second.say({ type: 'ready', registration });
    execution.output('stdout', 'more');
    await Promise.resolve();
    const [again, ...more] = eventsIn(second.frames);
    expect(again?.events.map(({ seq }) => seq)).toEqual([4_999, 5_000, 5_001]);
    expect(more).toEqual([]);
  });

  it('has an event for each of a hundred notes, and one for all others', async () => {
    const { first, execution } = await running();
    execution.notes(
      'info',
      Array.from({ length: 5_000 }, (_none, at) => String(at)),
    );
    await Promise.resolve();
    const events = eventsIn(first.frames).flatMap((report) => report.events);
    expect(events).toHaveLength(101);
    expect(events[100]).toMatchObject({ message: expect.stringMatching(/^100\n101\n.*\n4999$/s) });
  });
});
