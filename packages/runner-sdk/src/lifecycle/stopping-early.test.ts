import { Server } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { defineCapability } from '../capability/define-capability.js';
import { createDeferred } from '../util/deferred.js';
import { createVirtualClock } from '../util/virtual-clock.js';
import { startRecordingControlPlane } from './recording-control-plane.js';
import { createHeld, greet, post, requestOf, startRunner } from './runner-fixture.suite.js';
import { createRunner } from './runner.js';

test('a runner that is stopped while it begins to listen listens no more', async () => {
  const before = process.listenerCount('SIGTERM');
  const listen = vi.spyOn(Server.prototype, 'listen');
  const runner = createRunner({ name: 'images', capabilities: [greet], port: 0, logger: false });
  const starting = runner.start();
  const stopping = runner.stop();
  await expect(starting).rejects.toMatchObject({ code: 'STOPPED' });
  await stopping;
  expect(runner.state).toBe('stopped');
  expect(process.listenerCount('SIGTERM')).toBe(before);
  const [server] = listen.mock.contexts;
  listen.mockRestore();
  expect(server).toMatchObject({ listening: false });
});

test('a registration that is under way when the runner stops is taken back', async () => {
  const asked = createDeferred<void>();
  const answer = createDeferred<void>();
  const { runner, controlPlane } = await startRunner({
    fetch: async (...request) => {
      const response = await fetch(...request);
      if (!response.url.endsWith('/register')) return response;
      asked.resolve();
      await answer.promise;
      return response;
    },
  });
  await asked.promise;
  const stopped = runner.stop();
  answer.resolve();
  await stopped;
  expect(controlPlane.recorded.map(({ path }) => path)).toContain('/runners/runner-1/deregister');
});

test('stopping ends the tries to register before it waits for what runs', async () => {
  const clock = createVirtualClock();
  const held = createHeld();
  let asked = 0;
  const { runner } = await startRunner({
    capabilities: [held.capability],
    clock,
    fetch: () => {
      asked++;
      return Promise.reject(new TypeError('fetch failed'));
    },
  });
  const outcome = post(`${runner.url}/execute`, requestOf('held', {}, { timeoutMs: 90_000 }));
  await held.started;
  const stopped = runner.stop({ drainMs: 60_000 });
  const before = asked;
  await clock.advance(30_000);
  expect(asked).toBe(before);
  held.done.resolve(1);
  await outcome;
  await stopped;
});

test('a runner that never listened lets go of what runs in its process when it is stopped', async () => {
  const held = createHeld();
  const runner = createRunner({ name: 'images', capabilities: [held.capability], logger: false });
  const request = {
    jobId: 'j',
    moduleId: 'm',
    capabilityId: 'held',
    payload: {},
    metadata: {},
    executionId: 'e',
    attempt: 1,
  };
  const events = runner.execute(request)[Symbol.asyncIterator]();
  await events.next();
  await held.started;
  await runner.stop({ drainMs: 1 });
  expect(await events.next()).toMatchObject({
    value: { type: 'failed', error: { code: 'RUNNER_SHUTDOWN' } },
  });
});

test('a health check that throws what cannot be shown is unhealthy and harms nobody', async () => {
  const controlPlane = await startRecordingControlPlane();
  onTestFinished(() => controlPlane.close());
  const { url } = await startRunner({
    controlPlaneUrl: controlPlane.url,
    healthChecks: {
      hostile: () => {
        throw Object.create(null);
      },
      secret: () => {
        throw new Error('no route to postgres://me:hunter2@db/x');
      },
      nonsense: (() => ({ status: 'fine' })) as never,
      none: (() => null) as never,
    },
  });
  const response = await fetch(`${url}/health`);
  expect(response.status).toBe(503);
  const text = await response.text();
  expect(text).not.toContain('hunter2');
  expect(JSON.parse(text)).toMatchObject({
    status: 'unhealthy',
    checks: [
      { name: 'hostile', status: 'unhealthy', message: expect.any(String) },
      { name: 'secret', status: 'unhealthy' },
      { name: 'nonsense', status: 'unhealthy', message: expect.any(String) },
      { name: 'none', status: 'unhealthy' },
    ],
  });
});

test('a logger that throws harms no execution', async () => {
  const broken = (): never => {
    throw new Error('the disk is full');
  };
  const failing = defineCapability({
    id: 'fails',
    version: '1.0.0',
    description: 'Logs and fails.',
    input: z.object({ how: z.enum(['throw', 'return']) }),
    execute({ how }, ctx) {
      ctx.log.info('here');
      if (how === 'throw') throw new Error('no');
      return 1;
    },
  });
  const runner = createRunner({
    name: 'images',
    capabilities: [failing],
    logger: { debug: broken, info: broken, warn: broken, error: broken },
  });
  const last = async (how: string): Promise<unknown> => {
    let event: unknown;
    for await (event of runner.execute({
      jobId: how,
      moduleId: 'm',
      capabilityId: 'fails',
      payload: { how },
      metadata: {},
      executionId: how,
      attempt: 1,
    }));
    return event;
  };
  expect(await last('return')).toMatchObject({ type: 'succeeded', data: 1 });
  expect(await last('throw')).toMatchObject({ type: 'failed', error: { message: 'no' } });
});
