import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { defineCapability } from '../capability/define-capability.js';
import { createHeld, greet, startRunner } from '../lifecycle/runner-fixture.suite.js';
import type { RunnerOptions } from '../lifecycle/runner-options.js';
import { createDeferred } from '../util/deferred.js';
import { createVirtualClock } from '../util/virtual-clock.js';
import type { Logger } from '../util/logger.js';
import type { RunnerMetric } from './metrics.js';

const request = (capabilityId: string, executionId: string, payload: object = {}) => ({
  jobId: 'job-1',
  moduleId: 'module',
  metadata: {},
  attempt: 1,
  capabilityId,
  executionId,
  payload: payload as Record<string, unknown>,
});

async function measure(options: Partial<RunnerOptions> = {}) {
  const metrics: RunnerMetric[] = [];
  const started = await startRunner({ onMetric: (metric) => void metrics.push(metric), ...options });
  const run = async (...args: Parameters<typeof request>): Promise<void> => {
    for await (const _event of started.runner.execute(request(...args))) continue;
  };
  return {
    ...started,
    run,
    ended: () => metrics.filter(({ kind }) => kind.startsWith('execution')),
    metrics,
  };
}

test('every execution is measured as it ends, with its outcome, code and times', async () => {
  const fails = defineCapability({
    id: 'fails',
    version: '1.0.0',
    description: 'Fails.',
    input: greet.input,
    execute() {
      throw new Error('no');
    },
  });
  const { run, ended } = await measure({ capabilities: [greet, fails] });
  await run('hello.greet', 'e1', { name: 'Ada' });
  await run('fails', 'e2', { name: 'Ada' });
  await run('hello.greet', 'e3', { name: 42 });
  expect(ended()).toEqual([
    {
      kind: 'execution-ended',
      capabilityId: 'hello.greet',
      outcome: 'succeeded',
      code: undefined,
      durationMs: expect.any(Number),
      queuedMs: expect.any(Number),
      droppedEvents: 0,
      attempt: 1,
    },
    expect.objectContaining({ capabilityId: 'fails', outcome: 'failed', code: 'EXECUTION_FAILED' }),
    expect.objectContaining({ capabilityId: 'hello.greet', outcome: 'failed', code: 'VALIDATION_ERROR' }),
  ]);
  const [first] = ended();
  if (first?.kind !== 'execution-ended') throw new Error('not measured');
  expect(first.queuedMs).toBeGreaterThanOrEqual(0);
  expect(first.durationMs).toBeGreaterThanOrEqual(first.queuedMs);
});

test('what is not admitted is measured as refused, a repeated delivery not at all', async () => {
  const held = createHeld();
  const { run, runner, ended } = await measure({ capabilities: [held.capability], maxConcurrency: 1 });
  const first = run('held', 'e1');
  await held.started;
  await run('held', 'e2');
  await run('unknown', 'e3');
  held.done.resolve('done');
  await first;
  for await (const _event of runner.execute(request('held', 'e1'))) continue;
  expect(ended()).toEqual([
    { kind: 'execution-refused', capabilityId: 'held', code: 'RUNNER_BUSY' },
    { kind: 'execution-refused', capabilityId: 'unknown', code: 'CAPABILITY_NOT_FOUND' },
    expect.objectContaining({ kind: 'execution-ended', outcome: 'succeeded' }),
  ]);
});

test('tells when the runner is connected', async () => {
  const { runner, metrics } = await measure();
  await runner.ready();
  expect(metrics).toContainEqual({ kind: 'connected', host: 'controlplane', again: false });
});

test('counts the heartbeats in a row that were not answered', async () => {
  const clock = createVirtualClock();
  let isDown = false;
  const answered = createDeferred<void>();
  const quiet = (): void => undefined;
  const info = (_fields: object | string, message?: string): void => {
    if (message?.includes('answered again')) answered.resolve();
  };
  const { runner, metrics } = await measure({
    clock,
    logger: { debug: quiet, info, warn: quiet, error: quiet },
    random: () => 0.5,
    fetch: (...request) => (isDown ? Promise.reject(new TypeError('fetch failed')) : fetch(...request)),
  });
  await runner.ready();
  isDown = true;
  await clock.advance(20_000);
  isDown = false;
  await clock.advance(10_000);
  await answered.promise;
  isDown = true;
  await clock.advance(10_000);
  expect(metrics.filter(({ kind }) => kind === 'heartbeat-missed')).toEqual([
    { kind: 'heartbeat-missed', host: 'controlplane', missed: 1 },
    { kind: 'heartbeat-missed', host: 'controlplane', missed: 2 },
    { kind: 'heartbeat-missed', host: 'controlplane', missed: 1 },
  ]);
});

test.each([
  [
    'throws',
    () => {
      throw new Error('no metrics');
    },
  ],
  ['rejects', () => Promise.reject(new Error('no metrics'))],
])('a hook that %s is told in the log once and harms no execution', async (_, onMetric) => {
  const errors: unknown[][] = [];
  const logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (...line: unknown[]) => void errors.push(line),
  } as unknown as Logger;
  const { runner } = await measure({ logger, ...({ onMetric } as object) });
  for (const executionId of ['e1', 'e2']) {
    const events = [];
    for await (const event of runner.execute(request('hello.greet', executionId, { name: 'Ada' })))
      events.push(event.type);
    expect(events.at(-1)).toBe('succeeded');
  }
  await setImmediate();
  expect(errors.map(([, message]) => message)).toEqual([
    'option "onMetric" throws, measurements are lost: no metrics',
  ]);
});
