import { RunnerHeartbeat } from '@controlplane/contracts';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { openDialIns } from '../testing/dial-in-forge.js';
import { createManualClock } from '../testing/manual-clock.js';
import { eventsOf, type DialInRunner } from '../testing/dial-in-runner.js';
import { ECHO } from '../testing/stub-runner.js';

const test = openDialIns();
afterEach(test.close);

const echo = { capability: 'echo', input: { text: 'hi' } };

const beat = (runnerId: string, more: object = {}): RunnerHeartbeat =>
  RunnerHeartbeat.parse({ runnerId, timestamp: new Date().toISOString(), status: 'healthy', ...more });

/** Does every job that comes, as fast as it comes. */
function serveAll(runner: DialInRunner): { readonly messages: () => number } {
  let messages = 0;
  runner.socket.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as { type: string; executions: Record<string, string>[] };
    if (frame.type === 'offers') {
      messages += 1;
      const executions = frame.executions.map(({ executionId, leaseToken }) => ({ executionId, leaseToken }));
      runner.send({ type: 'accept', executions });
      for (const { executionId = '', leaseToken } of executions)
        runner.send({
          type: 'events',
          executions: [
            {
              executionId,
              leaseToken,
              events: eventsOf({ executionId }, [{ type: 'succeeded', data: 1 }], 1),
            },
          ],
        });
    }
  });
  return { messages: () => messages };
}

describe('a runner over a socket', () => {
  it('is told the cadence, offered a job, and its result is acknowledged', async () => {
    const forge = await test.listening();
    const runner = await test.socket(forge.url);
    expect(await runner.register()).toMatchObject({ heartbeatIntervalMs: 10_000, leaseMs: 20_000 });
    const job = await forge.submit(echo);
    const offered = await runner.offer();
    expect(offered).toMatchObject({ jobId: job.id, payload: { text: 'hi' }, attempt: 1 });
    expect(await runner.accept(offered)).toBeUndefined();
    runner.succeed(offered);
    expect((await runner.next('acknowledged')).executions).toEqual([
      { executionId: offered.executionId, seq: 1 },
    ]);
    expect(await job.result()).toMatchObject({ success: true, data: { echoed: { text: 'hi' } } });
  });

  it('gets what waited before it came', async () => {
    const forge = await test.listening();
    const job = await forge.submit(echo);
    const runner = await test.dialIn(forge.url);
    expect(await runner.offer()).toMatchObject({ jobId: job.id });
  });

  it('is shown as it is, and offline once it has hung up', async () => {
    const forge = await test.listening();
    const runner = await test.dialIn(forge.url);
    const [shown] = await forge.operations.listRunners();
    expect(shown).toMatchObject({ status: 'healthy', delivery: { kind: 'websocket' }, machineId: 'm1' });
    expect(shown).not.toHaveProperty('healthCheckEndpoint', expect.anything());
    runner.cut();
    await expect.poll(async () => (await forge.operations.listRunners())[0]?.status).toBe('offline');
    expect((await (await forge.submit(echo)).show()).waitingFor).toBe('dialler is not connected');
  });

  it('hears of a cancellation at once, and its last word counts', async () => {
    const forge = await test.listening();
    const runner = await test.dialIn(forge.url);
    const job = await forge.submit(echo);
    const offered = await runner.offer();
    await runner.accept(offered);
    await job.cancel();
    expect((await runner.next('directives')).directives).toEqual([
      { kind: 'cancel', executionId: offered.executionId, reason: 'user' },
    ]);
    runner.tell(offered, ...eventsOf(offered, [{ type: 'cancelled', reason: 'user' }], 1));
    expect(await job.result()).toMatchObject({ success: false, error: { code: 'EXECUTION_CANCELLED' } });
  });

  it('that has not claimed an offer which is cancelled is refused the claim; the job has ended already', async () => {
    const forge = await test.listening();
    const runner = await test.dialIn(forge.url);
    const job = await forge.submit(echo);
    const offered = await runner.offer();
    await job.cancel();
    expect(await job.result()).toMatchObject({ success: false, error: { code: 'EXECUTION_CANCELLED' } });
    expect(await runner.accept(offered)).toBe('LEASE_SUPERSEDED');
  });

  it('may refuse an offer at no cost', async () => {
    const forge = await test.listening();
    const runner = await test.dialIn(forge.url);
    const job = await forge.submit({ ...echo, retryPolicy: { maxRetries: 0 } });
    const first = await runner.offer();
    const error = {
      id: 'e',
      timestamp: new Date().toISOString(),
      category: 'RATE_LIMITED',
      severity: 'error',
    };
    const full = { ...error, code: 'RUNNER_BUSY', message: 'x', service: 's', contractVersion: '1.0.0' };
    runner.tell(first, ...eventsOf(first, [{ type: 'failed', error: full }]));
    expect((await runner.next('acknowledged')).executions).toEqual([
      { executionId: first.executionId, seq: 0 },
    ]);
    const again = await runner.offer();
    await runner.accept(again);
    runner.succeed(again);
    expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 1 } });
  });

  it('has its checkpoint acknowledged once it is on disk', async () => {
    const forge = await test.listening();
    const runner = await test.dialIn(forge.url);
    const job = await forge.submit(echo);
    const offered = await runner.offer();
    await runner.accept(offered);
    runner.tell(offered, ...eventsOf(offered, [{ type: 'checkpoint', data: { row: 7 } }], 1));
    expect((await runner.next('acknowledged')).executions).toEqual([
      { executionId: offered.executionId, seq: 1 },
    ]);
    const error = {
      id: 'e',
      timestamp: new Date().toISOString(),
      category: 'RUNTIME_ERROR',
      severity: 'error',
    };
    const full = {
      ...error,
      code: 'ODD',
      message: 'x',
      service: 's',
      contractVersion: '1.0.0',
      retryable: true,
    };
    runner.tell(offered, ...eventsOf(offered, [{ type: 'failed', error: { ...full, retryAfter: 0.01 } }], 2));
    const again = await runner.offer();
    expect(again).toMatchObject({ jobId: job.id, attempt: 2, checkpoint: { row: 7 } });
  });

  it('leaves with a frame', async () => {
    const forge = await test.listening();
    const runner = await test.dialIn(forge.url);
    runner.send({ type: 'deregister', reason: 'done' });
    expect(await runner.closed).toBe(1000);
    expect(await forge.operations.listRunners()).toEqual([]);
  });

  it('does a thousand executions in few messages', async () => {
    const forge = await test.listening();
    const runner = await test.dialIn(forge.url, {
      maxConcurrency: 1_000,
      capabilities: [{ ...ECHO, maxConcurrency: 1_000 }],
    });
    const { messages } = serveAll(runner);
    const jobs = await Promise.all(Array.from({ length: 1_000 }, () => forge.submit(echo)));
    for (const job of jobs) expect(await job.result()).toMatchObject({ success: true, data: 1 });
    expect(messages()).toBeLessThan(100);
  });
});

describe('a stalled runner', () => {
  it('keeps what it runs and gets nothing new until an ordinary beat comes', async () => {
    const clock = createManualClock(Date.now());
    const limits = { heartbeatIntervalMs: 40, leaseMs: 150 };
    const forge = await test.listening({ clock, limits });
    const runner = await test.socket(forge.url, { autoPong: false });
    const { runnerId } = await runner.register({ maxConcurrency: 5 });
    const running = await forge.submit(echo);
    const offered = await runner.offer();
    await runner.accept(offered);
    const stalled = beat(runnerId, {
      instanceId: 'i1',
      stalledMs: 12_300,
      executions: [offered.executionId],
    });
    // The watchdog beats by requests of its own, for longer than the lease and the ping deadline.
    for (let beats = 0; beats < 10; beats += 1) {
      await forge.operations.heartbeat(stalled);
      clock.advance(30);
    }
    const waiting = await forge.submit(echo);
    expect((await waiting.show()).waitingFor).toBe(
      'dialler does not answer: its main thread is blocked for 13 s',
    );
    expect(await forge.operations.showRunner(runnerId)).toMatchObject({ stalledMs: 12_300 });
    runner.send({ type: 'heartbeat', heartbeat: beat(runnerId, { executions: [offered.executionId] }) });
    expect(await runner.next('heartbeat')).toMatchObject({ reply: { known: true, receiving: true } });
    expect(await runner.offer()).toMatchObject({ jobId: waiting.id });
    runner.succeed(offered);
    expect(await running.result()).toMatchObject({ success: true, metadata: { attempts: 1 } });
  });
});

describe('a runner that does not answer pings', () => {
  it('is closed with 4002', async () => {
    const forge = await test.listening({ limits: { heartbeatIntervalMs: 30 } });
    const runner = await test.socket(forge.url, { autoPong: false });
    await runner.register();
    expect(await runner.closed).toBe(4002);
  });

  it('is pinged once it is silent for an interval, and not while it beats', async () => {
    const clock = createManualClock(Date.now());
    const forge = await test.listening({ clock, limits: { heartbeatIntervalMs: 40 } });
    const runner = await test.socket(forge.url, { autoPong: false });
    const { runnerId } = await runner.register();
    let pings = 0;
    runner.socket.on('ping', () => (pings += 1));
    for (let beats = 0; beats < 3; beats += 1) {
      runner.send({ type: 'heartbeat', heartbeat: beat(runnerId) });
      await runner.next('heartbeat');
      clock.advance(40);
    }
    const pinged = once(runner.socket, 'ping');
    clock.advance(40);
    await pinged;
    expect(pings).toBe(1);
    clock.advance(20);
    expect(await runner.closed).toBe(4002);
  });
});

describe('JobForge', () => {
  it('says where it goes when it stops', async () => {
    const forge = await test.listening();
    const runner = await test.dialIn(forge.url);
    await forge.stop();
    expect((await runner.next('directives')).directives).toEqual([{ kind: 'reconnect', afterMs: 1_000 }]);
    expect(await runner.closed).toBe(1001);
  });
});
