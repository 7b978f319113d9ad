import { RunnerHeartbeat, RunnerRegistrationRequest } from '@controlplane/contracts';
import { describe, expect, test } from 'vitest';
import { isRunnerError } from '../errors/runner-error.js';
import { createDeferred } from '../util/deferred.js';
import type { Logger } from '../util/logger.js';
import { createVirtualClock } from '../util/virtual-clock.js';
import { CONTENT, refusal } from './recording-control-plane.js';
import { createHeld, post, requestOf, startRunner } from './runner-fixture.suite.js';

const REGISTER = /register$/;
const HEARTBEAT = /heartbeat$/;

/** A runner whose time stands still, without jitter. */
const onVirtualTime = async (options: Parameters<typeof startRunner>[0] = {}) => {
  const clock = createVirtualClock();
  return { clock, ...(await startRunner({ clock, random: () => 0.5, ...options })) };
};

describe('registration', () => {
  test('says all that the control plane needs, and is known by the id of the reply', async () => {
    const { runner, url, controlPlane } = await startRunner({
      labels: { region: 'eu' },
      tags: ['a'],
      machineId: 'm-1',
      buildId: 'b-1',
    });
    await runner.ready();
    const request = RunnerRegistrationRequest.parse(controlPlane.recorded[0]?.body);
    expect(request).toMatchObject({
      name: 'images',
      version: '1.2.0',
      contractVersion: { major: 1, minor: 0, patch: 0 },
      healthCheckEndpoint: `${url}/health`,
      delivery: { kind: 'push', executeUrl: `${url}/execute` },
      features: ['ndjson', 'batch', 'cancel', 'files', 'signed'],
      maxConcurrency: 10,
      labels: { region: 'eu' },
      tags: ['a'],
      machineId: 'm-1',
      buildId: 'b-1',
      instanceId: expect.any(String),
      platform: { os: process.platform },
    });
    expect(runner).toMatchObject({ state: 'registered', runnerId: 'runner-1' });
  });

  test('is tried again for ever, with a delay that grows, until the control plane is there', async () => {
    const clock = createVirtualClock();
    const delays: number[] = [];
    let attempts = 0;
    const fetchFailing: typeof fetch = (...request) => {
      attempts++;
      return attempts <= 12 ? Promise.reject(new TypeError('fetch failed')) : fetch(...request);
    };
    const timed = {
      ...clock,
      setTimeout: (callback: () => void, ms: number) => {
        delays.push(ms);
        return clock.setTimeout(callback, ms);
      },
    };
    const { runner, controlPlane } = await startRunner({
      clock: timed,
      random: () => 1,
      fetch: fetchFailing,
    });
    const registered = controlPlane.next(REGISTER);
    while (attempts < 12) await clock.advance(30_000);
    await clock.advance(30_000);
    await registered;
    await runner.ready();
    const backoff = delays.filter((ms) => ms <= 30_000 && ms !== 11_000);
    expect(backoff.slice(0, 9)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  test('does not come back sooner than it is told', async () => {
    const clock = createVirtualClock();
    const { runner, controlPlane } = await startRunner({
      clock,
      random: () => 0,
    });
    await runner.ready();
    controlPlane.answers.register = () => refusal('SHUTTING_DOWN', 7);
    controlPlane.answers.heartbeat = () => ({ status: 200, body: { known: false } });
    const asked = controlPlane.next(REGISTER);
    await clock.advance(9000);
    await asked;
    // The refusal is read before the clock moves on.
    while (clock.pending() < 1) await clock.advance(0);
    await clock.advance(6999);
    expect(controlPlane.count(REGISTER)).toBe(2);
    const again = controlPlane.next(REGISTER);
    await clock.advance(1);
    await again;
    expect(controlPlane.count(REGISTER)).toBe(3);
  });

  test.each(['CONTRACT_MISMATCH', 'VALIDATION_ERROR'] as const)(
    'ends for good with %s, says so, and keeps serving',
    async (code) => {
      const clock = createVirtualClock();
      const errors: string[] = [];
      const logger: Logger = {
        debug: () => undefined,
        info: () => undefined,
        warn: () => undefined,
        error: (_fields: object | string, message?: string) => void errors.push(message ?? ''),
      };
      const refusing: typeof fetch = () =>
        Promise.resolve(Response.json(refusal(code).body, { status: refusal(code).status }));
      const { runner, url } = await startRunner({ clock, logger, fetch: refusing });
      const error: unknown = await runner.ready().catch((thrown: unknown) => thrown);
      expect(isRunnerError(error, 'REGISTRATION_REFUSED')).toBe(true);
      expect((error as Error).message).toContain(code);
      expect(errors[0]).toContain('refused this runner for good');
      expect(runner.state).toBe('refused');
      expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({
        ok: false,
        reasons: ['the control plane refused this runner for good'],
      });
      expect((await post(`${url}/execute`, requestOf('hello.greet', { name: 'Ada' }))).status).toBe(200);
    },
  );

  test('with a credential that cannot be sent is not tried, and the log holds nothing of it', async () => {
    const warned = createDeferred<string>();
    const logger: Logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: (fields: object | string) => warned.resolve(JSON.stringify(fields)),
      error: () => undefined,
    };
    const { controlPlane } = await startRunner({ logger, credential: () => 'aa-first\nbb-second' });
    expect(await warned.promise).toContain('give the credential alone, on one line');
    expect(await warned.promise).not.toMatch(/first|second/);
    expect(controlPlane.count(REGISTER)).toBe(0);
  });

  test('says what the control plane cannot use of it: which capability, and why', async () => {
    const warned = createDeferred<[unknown, unknown]>();
    const logger: Logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: (fields: object | string, message?: string) => warned.resolve([fields, message]),
      error: () => undefined,
    };
    const path = ['capabilities', '0', 'inputSchema'];
    const warnings = [{ path, capability: 'hello.greet', message: 'type must be one of …' }];
    const reply = { ...(CONTENT.register().body as object), warnings };
    await startRunner({ logger, fetch: () => Promise.resolve(Response.json(reply)) });
    expect(await warned.promise).toEqual([
      { capability: 'hello.greet', at: 'capabilities.0.inputSchema' },
      'type must be one of …',
    ]);
  });

  test('is waited for only as long as the waiter likes', async () => {
    const { runner } = await startRunner({ fetch: () => new Promise<Response>(() => undefined) });
    await expect(runner.ready({ signal: AbortSignal.timeout(5) })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    expect(runner.state).toBe('registering');
  });

  test('that never came leaves who waits for it with an error when the runner stops', async () => {
    const { runner } = await startRunner({ fetch: () => Promise.reject(new TypeError('fetch failed')) });
    const waiting = runner.ready();
    await runner.stop();
    await expect(waiting).rejects.toMatchObject({ name: 'RunnerError', code: 'STOPPED' });
  });
});

describe('heartbeats', () => {
  test('come at the interval that the control plane sets, and name what runs', async () => {
    const held = createHeld();
    const { clock, runner, url, controlPlane } = await onVirtualTime({ capabilities: [held.capability] });
    await runner.ready();
    const outcome = post(`${url}/execute`, requestOf('held', {}, { executionId: 'e1' }));
    await held.started;
    await clock.advance(9999);
    expect(controlPlane.count(HEARTBEAT)).toBe(0);
    const beat = controlPlane.next(HEARTBEAT);
    await clock.advance(1);
    expect(RunnerHeartbeat.parse((await beat).body)).toMatchObject({
      runnerId: 'runner-1',
      status: 'healthy',
      activeJobs: 1,
      executions: ['e1'],
    });
    held.done.resolve(1);
    await outcome;
  });

  test.each([
    [0, 9000],
    [1, 11_000],
  ])('are moved by up to a tenth (chance %d: %i ms)', async (random, dueMs) => {
    const { clock, runner, controlPlane } = await onVirtualTime({ random: () => random });
    await runner.ready();
    await clock.advance(dueMs - 1);
    expect(controlPlane.count(HEARTBEAT)).toBe(0);
    const beat = controlPlane.next(HEARTBEAT);
    await clock.advance(1);
    await beat;
  });

  test('to a control plane that forgot the runner lead to a new registration', async () => {
    const { clock, runner, controlPlane } = await onVirtualTime();
    await runner.ready();
    controlPlane.answers.heartbeat = () => ({ status: 200, body: { known: false } });
    const again = controlPlane.next(REGISTER);
    await clock.advance(10_000);
    await again;
    controlPlane.answers.heartbeat = CONTENT.heartbeat;
    const beat = controlPlane.next(HEARTBEAT);
    while (runner.state !== 'registered') await clock.advance(0);
    await clock.advance(10_000);
    expect((await beat).body).toMatchObject({ runnerId: 'runner-1' });
    expect(controlPlane.recorded[0]?.body['instanceId']).toBe(
      controlPlane.recorded.find(({ path }, index) => index > 0 && REGISTER.test(path))?.body['instanceId'],
    );
  });

  test('carry directives back: cancel stops an execution, unknown kinds are ignored', async () => {
    const held = createHeld();
    const { clock, runner, url, controlPlane } = await onVirtualTime({ capabilities: [held.capability] });
    await runner.ready();
    const outcome = post(`${url}/execute`, requestOf('held', {}, { executionId: 'e1' }));
    await held.started;
    controlPlane.answers.heartbeat = () => ({
      status: 200,
      body: { directives: [{ kind: 'dance' }, { kind: 'cancel', executionId: 'e1', reason: 'lease-lost' }] },
    });
    await clock.advance(10_000);
    expect(await outcome).toMatchObject({ status: 409, json: { error: { code: 'EXECUTION_CANCELLED' } } });
  });

  test('that are not answered make the runner not ready, until one is', async () => {
    let isDown = false;
    const { clock, runner, url, controlPlane } = await onVirtualTime({
      fetch: (...request) => (isDown ? Promise.reject(new TypeError('fetch failed')) : fetch(...request)),
    });
    await runner.ready();
    isDown = true;
    await clock.advance(30_000);
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({
      ok: false,
      reasons: ['the last 3 heartbeats were not answered'],
    });
    isDown = false;
    const beat = controlPlane.next(HEARTBEAT);
    await clock.advance(10_000);
    await beat;
    const ready = async (): Promise<boolean> => (await fetch(`${url}/readyz`)).ok;
    while (!(await ready())) await clock.advance(0);
  });

  test('answered without work to come make the runner not ready', async () => {
    const { clock, runner, url, controlPlane } = await onVirtualTime();
    await runner.ready();
    controlPlane.answers.heartbeat = () => ({ status: 200, body: { receiving: false } });
    const beat = controlPlane.next(HEARTBEAT);
    await clock.advance(10_000);
    await beat;
    const look = async (): Promise<unknown> => (await fetch(`${url}/readyz`)).json();
    let found = await look();
    while ((found as { ok: boolean }).ok) found = await look();
    expect(found).toEqual({ ok: false, reasons: ['the control plane sends no work to this runner'] });
  });

  test('tell of health without waiting for a check that hangs', async () => {
    const { clock, runner, controlPlane } = await onVirtualTime({
      healthChecks: { hangs: () => new Promise<void>(() => undefined) },
    });
    await runner.ready();
    const first = controlPlane.next(HEARTBEAT);
    await clock.advance(10_000);
    expect((await first).body).toMatchObject({ status: 'healthy' });
    const second = controlPlane.next(HEARTBEAT);
    await clock.advance(5000);
    await clock.advance(5000);
    expect((await second).body).toMatchObject({ status: 'unhealthy' });
  });
});
