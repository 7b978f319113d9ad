import { CONTRACT_VERSION_CURRENT, type RunnerFrame } from '@controlplane/contracts';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../model/log.js';
import type { RunnerConnection } from '../model/runner-connection.js';
import { createManualClock } from '../testing/manual-clock.js';
import { createReadAnnounced } from './announced.js';
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
  /** Answers to its pings. */
  pongs: number;
}

function played() {
  const lines: Heard[] = [];
  const begun: ForeignExecution[] = [];
  const connectRunner: DoorParts['operations']['connectRunner'] = (connection) => {
    const frames: RunnerFrame[] = [];
    const heard: Heard = { frames, connection, pongs: 0 };
    lines.push(heard);
    const nothing = (): void => undefined;
    return {
      onFrame: (frame) => void frames.push(frame),
      onPong: () => void (heard.pongs += 1),
      ...{ onDrain: nothing, onClose: nothing },
    };
  };
  const clock = createManualClock();
  const parts = {
    ...{ clock, instanceId: 'door', log: silentLog, operations: { connectRunner } },
    readAnnounced: createReadAnnounced(silentLog, clock),
  } as unknown as DoorParts;
  const runner = createForeignRunner(parts);
  const dial = (more: Partial<ForeignSide> = {}) => {
    const nothing = (): void => undefined;
    const side: ForeignSide = {
      ...{ bufferedBytes: () => 0, ping: nothing, pause: nothing, resume: nothing, terminate: nothing },
      ...{ onReady: nothing, cancel: nothing },
      run: (execution) => void begun.push(execution),
      end: () => queueMicrotask(() => line.onClose()),
      ...more,
    };
    const line = runner.connect({ caller: { kind: 'anyone' }, announcement, side });
    const heard = lines.at(-1);
    if (heard === undefined) throw new Error('it has not connected');
    const say = (frame: object): void => heard.connection.send(JSON.stringify(frame));
    return { line, frames: heard.frames, connection: heard.connection, say };
  };
  return { runner, dial, begun, lines, clock };
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
async function running(more: Partial<ForeignSide> = {}) {
  const { dial, begun, ...others } = played();
  const first = dial(more);
  first.say({ type: 'ready', registration });
  first.say({ type: 'offers', executions: [request] });
  first.say({ type: 'confirmed', executions: [{ executionId: 'e' }] });
  const [execution] = begun;
  if (execution === undefined) throw new Error('nothing has begun');
  await Promise.resolve();
  return { ...others, dial, first, execution };
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

const registrationsIn = (frames: readonly RunnerFrame[]) =>
  frames.flatMap((frame) => (frame.type === 'register' ? [frame.registration] : []));

describe('a runner that is known by its word', () => {
  const byWord = { isKnownByWord: true };

  it('counts as another process where it says nothing of what it held for a lease', async () => {
    const cancelled: string[] = [];
    const { runner, dial, first, lines, clock } = await running(byWord);
    first.line.onClose();
    const second = dial({ ...byWord, cancel: (id) => void cancelled.push(id) });
    await Promise.resolve();
    expect(registrationsIn(second.frames)).toMatchObject([{ instanceId: 'door', held: ['e'] }]);
    second.say({ type: 'ready', registration });
    clock.advance(19_999);
    expect(lines).toHaveLength(2);
    clock.advance(1);
    await Promise.resolve();
    expect(cancelled).toEqual(['e']);
    expect(runner.execution('e')).toBeUndefined();
    expect(registrationsIn(lines[2]?.frames ?? [])).toMatchObject([
      { instanceId: expect.stringMatching(/^door\../), held: [] },
    ]);
  });

  it('keeps what it says something of', async () => {
    const { runner, dial, first, lines, clock } = await running(byWord);
    first.line.onClose();
    const second = dial(byWord);
    second.say({ type: 'ready', registration });
    second.line.onWordOf('e');
    clock.advance(60_000);
    expect([lines.length, runner.execution('e')?.id]).toEqual([2, 'e']);
  });

  it('has lost at once what it says that it lost', async () => {
    const { runner, first, lines } = await running(byWord);
    first.line.onLost('another');
    expect(lines).toHaveLength(1);
    first.line.onLost('e');
    await Promise.resolve();
    expect(runner.execution('e')).toBeUndefined();
    expect(registrationsIn(lines[1]?.frames ?? [])).toMatchObject([{ held: [] }]);
  });
});

describe('a runner that tells more than is written', () => {
  function held() {
    const said: string[] = [];
    return { said, pause: () => void said.push('pause'), resume: () => void said.push('resume') };
  }
  const megabyte = 'x'.repeat(1024 * 1024);

  it('is not listened to until most of it is', async () => {
    const side = held();
    const { first, execution } = await running(side);
    for (let count = 1; count <= 3; count += 1) execution.output('stdout', megabyte);
    expect(side.said).toEqual([]);
    execution.output('stdout', megabyte);
    expect(side.said).toEqual(['pause']);
    const acknowledge = (seq: number) =>
      first.say({ type: 'acknowledged', executions: [{ executionId: 'e', seq }] });
    acknowledge(2);
    expect(side.said).toEqual(['pause']);
    acknowledge(4);
    expect(side.said).toEqual(['pause', 'resume']);
  });

  it('is not listened to over its next connection either, for as long as that is so', async () => {
    const { dial, first, execution } = await running();
    for (let count = 1; count <= 4; count += 1) execution.output('stdout', megabyte);
    first.line.onClose();
    const side = held();
    const second = dial(side);
    second.say({ type: 'ready', registration });
    expect(side.said).toEqual(['pause']);
    second.say({ type: 'acknowledged', executions: [{ executionId: 'e', seq: 4 }] });
    expect(side.said).toEqual(['pause', 'resume']);
  });

  it('is not silent for as long as it is not listened to', async () => {
    const { first, execution, lines, clock } = await running();
    for (let count = 1; count <= 4; count += 1) execution.output('stdout', megabyte);
    const beats = async (times: number): Promise<unknown> => {
      first.frames.splice(0);
      for (let time = 1; time <= times; time += 1) {
        clock.advance(5_000);
        await Promise.resolve();
      }
      return first.frames.filter(({ type }) => type === 'heartbeat').length;
    };
    expect([await beats(12), lines[0]?.pongs]).toEqual([12, 12]);
    first.say({ type: 'acknowledged', executions: [{ executionId: 'e', seq: 4 }] });
    // What it said meanwhile may take until the next one.
    expect([await beats(3), lines[0]?.pongs]).toEqual([1, 12]);
  });

  it('is not taken for another process for what it cannot say meanwhile', async () => {
    const byWord = { isKnownByWord: true };
    const { runner, dial, first, lines, execution, clock } = await running(byWord);
    for (let count = 1; count <= 4; count += 1) execution.output('stdout', megabyte);
    first.line.onClose();
    const second = dial(byWord);
    second.say({ type: 'ready', registration });
    clock.advance(60_000);
    expect([lines.length, runner.execution('e')?.id]).toEqual([2, 'e']);
    second.say({ type: 'acknowledged', executions: [{ executionId: 'e', seq: 4 }] });
    clock.advance(19_999);
    expect(lines).toHaveLength(2);
    clock.advance(1);
    expect([lines.length, runner.execution('e')]).toEqual([3, undefined]);
  });

  it('is listened to again where what it told is denied', async () => {
    const side = held();
    const { first, execution } = await running(side);
    for (let count = 1; count <= 4; count += 1) execution.output('stdout', megabyte);
    const denied = { executionId: 'e', seq: 0, code: 'LEASE_SUPERSEDED' };
    first.say({ type: 'acknowledged', executions: [denied] });
    expect(side.said).toEqual(['pause', 'resume']);
    execution.output('stdout', megabyte.repeat(5));
    expect(side.said).toEqual(['pause', 'resume']);
  });

  it('waits for its session too, and goes on once neither has a reason', async () => {
    const side = held();
    const { first, execution } = await running(side);
    first.connection.pause();
    for (let count = 1; count <= 4; count += 1) execution.output('stdout', megabyte);
    first.say({ type: 'acknowledged', executions: [{ executionId: 'e', seq: 4 }] });
    expect(side.said).toEqual(['pause']);
    first.connection.resume();
    expect(side.said).toEqual(['pause', 'resume']);
  });
});
