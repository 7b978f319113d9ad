import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createVirtualClock } from '../util/virtual-clock.js';
import { isRunnerError } from '../errors/runner-error.js';
import { createHeld, greet, post, requestOf, startRunner } from './runner-fixture.suite.js';
import { createRunner } from './runner.js';

describe('stop', () => {
  test('says so first, refuses what is new, lets finish what runs, leaves, and closes', async () => {
    const held = createHeld();
    const { runner, url, controlPlane } = await startRunner({ capabilities: [held.capability] });
    await runner.ready();
    const outcome = post(`${url}/execute`, requestOf('held', {}, { executionId: 'e1' }));
    await held.started;
    const announced = controlPlane.next(/heartbeat$/);
    const stopped = runner.stop({ reason: 'deploy' });
    expect((await announced).body).toMatchObject({ draining: true, executions: ['e1'] });
    expect(runner.state).toBe('draining');
    expect(await post(`${url}/execute`, requestOf('held', {}, { executionId: 'e2' }))).toMatchObject({
      status: 503,
      json: { error: { code: 'RUNNER_DRAINING', retryable: true } },
    });
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    held.done.resolve('finished');
    expect(await outcome).toMatchObject({ status: 200, json: { data: 'finished' } });
    await stopped;
    expect(controlPlane.recorded.at(-1)).toMatchObject({
      path: '/runners/runner-1/deregister',
      body: { reason: 'deploy', instanceId: expect.any(String) },
    });
    expect(runner.state).toBe('stopped');
    await expect(fetch(`${url}/health`)).rejects.toThrow('fetch failed');
  });

  test('hands back what does not finish in time', async () => {
    const clock = createVirtualClock();
    const held = createHeld();
    const { runner, url } = await startRunner({ capabilities: [held.capability], clock });
    await runner.ready();
    const outcome = post(`${url}/execute`, requestOf('held'));
    await held.started;
    const stopped = runner.stop({ drainMs: 1000 });
    await clock.advance(1000);
    expect(await outcome).toMatchObject({
      status: 503,
      json: { error: { code: 'RUNNER_SHUTDOWN', retryable: true } },
    });
    await stopped;
  });

  test('does so once, however often it is called', async () => {
    const { runner, controlPlane } = await startRunner();
    await runner.ready();
    await Promise.all([runner.stop(), runner.stop()]);
    await runner.stop();
    expect(controlPlane.count(/deregister$/)).toBe(1);
  });

  test('is no harm before the start, and no start follows it', async () => {
    const runner = createRunner({ name: 'images', capabilities: [greet], logger: false });
    await runner.stop();
    expect(runner.state).toBe('stopped');
    await expect(runner.start()).rejects.toMatchObject({ code: 'STOPPED' });
  });

  test('does not hang on a control plane that is gone', async () => {
    const { runner, controlPlane } = await startRunner();
    await runner.ready();
    await controlPlane.close();
    await runner.stop();
    expect(runner.state).toBe('stopped');
  });
});

describe('start', () => {
  test('does so once, however often it is called', async () => {
    const { runner, controlPlane } = await startRunner();
    expect(await runner.start()).toBe(runner);
    await runner.ready();
    expect(controlPlane.count(/register$/)).toBe(1);
  });

  test.each([
    ['a port that is taken', (port: number) => ({ port }), /port \d+ is taken; .*environment variable PORT/],
    [
      'an address that is not of this machine',
      () => ({ host: '192.0.2.1' }),
      /"192.0.2.1" is no address of this machine/,
    ],
  ])('names %s and the remedy', async (_what, change, expected) => {
    const { url } = await startRunner();
    const second = createRunner({
      name: 'second',
      capabilities: [greet],
      port: 0,
      host: '127.0.0.1',
      logger: false,
      ...change(Number(new URL(url).port)),
    });
    const error: unknown = await second.start().catch((thrown: unknown) => thrown);
    expect(isRunnerError(error, 'LISTEN_FAILED')).toBe(true);
    expect((error as Error).message).toMatch(expected);
    // What Node prints of it where nobody catches it.
    expect(inspect(error)).toMatch(/^\[RunnerError: cannot listen on [^\n]+\]$/);
  });
});

test('execute runs a capability in this process', async () => {
  const runner = createRunner({ name: 'images', capabilities: [greet], logger: false });
  const seen: string[] = [];
  const request = {
    jobId: 'j',
    moduleId: 'm',
    capabilityId: 'hello.greet',
    payload: { name: 'Ada' },
    metadata: {},
    executionId: 'e',
    attempt: 1,
  };
  for await (const event of runner.execute(request)) seen.push(event.type);
  expect(seen).toEqual(['accepted', 'log', 'progress', 'succeeded']);
});
