import type { RunnerHeartbeatResponse } from '@controlplane/contracts';
import { expect, onTestFinished, test } from 'vitest';
import { createDeferred } from '../util/deferred.js';
import { silentLogger } from '../util/logger.js';
import { blockThread, startBeatRecorder } from './beat-recorder.suite.js';
import type { RunningExecution } from '../execution/running-executions.js';
import type { StandInBeat } from '../hosts/host.js';
import { createWatchdog } from './watchdog.js';

const INTERVAL_MS = 300;

async function startWatchdog({ reply, identity }: { reply?: object; identity?: Partial<StandInBeat> } = {}) {
  const recorder = await startBeatRecorder(reply);
  const replies: RunnerHeartbeatResponse[] = [];
  const stalled = createDeferred<{ stalledMs: number; beats: number }>();
  const warnings: unknown[][] = [];
  const watchdog = createWatchdog({
    logger: { ...silentLogger, warn: (...line: unknown[]) => void warnings.push(line) },
    capacity: 10,
    instanceId: 'instance-1',
    onStalled: stalled.resolve,
  });
  onTestFinished(() => watchdog.stop());
  const standIn = watchdog.standIn((answer) => replies.push(answer));
  standIn.update({
    runnerId: 'runner-1',
    authorization: undefined,
    url: `${recorder.url}/runners/heartbeat`,
    intervalMs: INTERVAL_MS,
    status: 'healthy',
    draining: false,
    ...identity,
  });
  const { observer } = watchdog;
  const executions = new Map<string, RunningExecution>();
  return {
    add(executionId: string) {
      const execution = { request: { executionId }, watchSlot: -1 } as RunningExecution;
      executions.set(executionId, execution);
      observer.started(execution);
    },
    remove: (executionId: string) =>
      observer.ended(executions.get(executionId) as RunningExecution, undefined),
    watchdog,
    standIn,
    recorder,
    replies,
    stalled: stalled.promise,
    warnings,
  };
}

test('beats on time and with what runs while the main thread is blocked', async () => {
  const { add, remove, recorder, stalled, warnings } = await startWatchdog({
    identity: { authorization: 'Bearer secret-1' },
  });
  add('execution-1');
  add('execution-2');
  remove('execution-1');
  add('execution-3');
  const fromMs = Date.now();
  blockThread(INTERVAL_MS * 6);
  const untilMs = Date.now();
  const { beats: count } = await stalled;
  const beats = await recorder.beats();
  expect(beats.length).toBeGreaterThanOrEqual(5);
  expect(count).toBe(beats.length);
  const times = [fromMs, ...beats.map(({ atMs }) => atMs), untilMs];
  const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
  expect(Math.max(...gaps)).toBeLessThan(INTERVAL_MS * 1.75);
  for (const { path, authorization, body } of beats) {
    expect(path).toBe('/runners/heartbeat');
    expect(authorization).toBe('Bearer secret-1');
    expect(body).toMatchObject({
      runnerId: 'runner-1',
      instanceId: 'instance-1',
      status: 'healthy',
      activeJobs: 2,
    });
    expect(body['executions']).toEqual(['execution-3', 'execution-2']);
  }
  const stalls = beats.map(({ body }) => Number(body['stalledMs']));
  expect(stalls).toEqual([...stalls].sort((a, b) => a - b));
  expect(stalls.at(-1)).toBeGreaterThan(INTERVAL_MS * 4);
  expect(JSON.stringify(warnings)).toContain('the event loop was blocked');
});

/** Keeps the main thread busy, where `blockThread` leaves it waiting in a call that cannot be interrupted. */
function computeForLong(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

test.each([
  ['computes', computeForLong],
  ['waits in one call', blockThread],
])('says what the main thread was at while it %s, once a minute', async (_what, block) => {
  const { stalled, warnings } = await startWatchdog();
  block(INTERVAL_MS * 6);
  await stalled;
  const file = block === blockThread ? 'beat-recorder.suite.ts' : 'watchdog.test.ts';
  const stack = expect.stringMatching(new RegExp(`at ${block.name} \\(.*${file}:\\d+:\\d+\\)`)) as string;
  expect(warnings[0]?.[0]).toMatchObject({ stack });
  block(INTERVAL_MS * 3);
  await expect.poll(() => warnings.length).toBe(2);
  expect(warnings[1]?.[0]).not.toHaveProperty('stack');
});

test('stays silent while the main thread answers, however late its heartbeat is', async () => {
  const { recorder } = await startWatchdog();
  await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS * 3));
  expect(await recorder.beats()).toEqual([]);
});

test('stops at once when the main thread answers again', async () => {
  const { recorder, stalled } = await startWatchdog();
  blockThread(INTERVAL_MS * 3);
  await stalled;
  const { length } = await recorder.beats();
  await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS * 3));
  expect(await recorder.beats()).toHaveLength(length);
});

test('hands over what was answered meanwhile, and goes on with the credential that it was given', async () => {
  const { recorder, stalled, replies } = await startWatchdog({
    identity: { authorization: 'Bearer old' },
    reply: {
      known: true,
      receiving: true,
      directives: [{ kind: 'cancel', executionId: 'execution-1', reason: 'user' }],
      sessionCredential: { token: 'new', expiresAt: '2030-01-01T00:00:00.000Z' },
    },
  });
  blockThread(INTERVAL_MS * 4);
  await stalled;
  const beats = await recorder.beats();
  expect(beats.map(({ authorization }) => authorization).slice(0, 2)).toEqual(['Bearer old', 'Bearer new']);
  await expect.poll(() => replies.length).toBeGreaterThan(0);
  expect(replies[0]?.directives).toEqual([{ kind: 'cancel', executionId: 'execution-1', reason: 'user' }]);
});

test('a beat that nobody answers is told in the log, and the next one is tried', async () => {
  const { stalled, warnings } = await startWatchdog({
    identity: { url: 'http://127.0.0.1:1/runners/heartbeat' },
  });
  blockThread(INTERVAL_MS * 4);
  const { beats } = await stalled;
  expect(beats).toBeGreaterThanOrEqual(2);
  expect(JSON.stringify(warnings)).toContain('ECONNREFUSED');
});

test('sends no id that the contract does not allow', async () => {
  const { add, recorder, stalled } = await startWatchdog();
  for (const id of ['fine', 'not fine', 'ä', 'x'.repeat(129), '']) add(id);
  blockThread(INTERVAL_MS * 3);
  await stalled;
  const [beat] = await recorder.beats();
  expect(beat?.body['executions']).toEqual(['fine']);
});

test('once stopped, it harms nothing and says nothing', async () => {
  const { add, remove, standIn, watchdog, warnings } = await startWatchdog();
  await watchdog.stop();
  add('late');
  standIn.beaten();
  remove('late');
  await watchdog.stop();
  expect(warnings).toEqual([]);
});

test('stands in for several control planes, each at its own pace', async () => {
  const { watchdog, recorder, stalled } = await startWatchdog();
  const other = await startBeatRecorder();
  watchdog
    .standIn(() => undefined)
    .update({
      runnerId: 'runner-2',
      url: `${other.url}/runners/heartbeat`,
      authorization: undefined,
      intervalMs: INTERVAL_MS * 3,
      status: 'degraded',
      draining: true,
    });
  blockThread(INTERVAL_MS * 5);
  await stalled;
  const [quick, slow] = [await recorder.beats(), await other.beats()];
  expect(quick.length).toBeGreaterThanOrEqual(4);
  expect(slow).toHaveLength(1);
  expect(slow[0]?.body).toMatchObject({ runnerId: 'runner-2', status: 'degraded', draining: true });
});
