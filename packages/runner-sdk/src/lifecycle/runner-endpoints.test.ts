import { ErrorEnvelope, HealthCheck, Probe, RunnerManifest } from '@controlplane/contracts';
import express from 'express';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createHeld, greet, post, requestOf, startRunner } from './runner-fixture.suite.js';
import { startRecordingControlPlane } from './recording-control-plane.js';
import { createRunner } from './runner.js';

async function get(url: string): Promise<{ status: number; json: unknown; headers: Headers }> {
  const response = await fetch(url);
  return { status: response.status, json: await response.json(), headers: response.headers };
}

describe('GET /health', () => {
  test('is complete and healthy', async () => {
    const { url } = await startRunner();
    const { status, json } = await get(`${url}/health`);
    expect(status).toBe(200);
    expect(HealthCheck.parse(json)).toMatchObject({
      service: 'images',
      version: '1.2.0',
      status: 'healthy',
      checks: [],
      uptime: expect.any(Number),
    });
  });

  test('looks at what the runner depends on', async () => {
    const { url } = await startRunner({
      healthChecks: {
        good: () => undefined,
        fine: async () => Promise.resolve(true),
        slow: () => ({ status: 'degraded', message: 'slow today' }),
      },
    });
    const { status, json } = await get(`${url}/health`);
    expect(status).toBe(503);
    expect(HealthCheck.parse(json)).toMatchObject({
      status: 'degraded',
      checks: [
        { name: 'good', status: 'healthy' },
        { name: 'fine', status: 'healthy' },
        { name: 'slow', status: 'degraded', message: 'slow today' },
      ],
    });
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no database');
      },
      'no database',
    ],
    ['rejects', () => Promise.reject(new Error('no database')), 'no database'],
    ['says no', () => false, undefined],
  ])('is unhealthy when a check %s', async (_how, check, message) => {
    const { url } = await startRunner({ healthChecks: { database: check } });
    const { status, json } = await get(`${url}/health`);
    expect(status).toBe(503);
    const { checks, status: overall } = HealthCheck.parse(json);
    expect(overall).toBe('unhealthy');
    expect(checks[0]).toMatchObject({ name: 'database', status: 'unhealthy', ...(message && { message }) });
  });
});

describe('the probes', () => {
  test('/livez answers whatever happens; /readyz says why it is not ready', async () => {
    const controlPlane = await startRecordingControlPlane();
    onTestFinished(() => controlPlane.close());
    controlPlane.answers.register = () => ({ status: 500, body: 'out of order' });
    const { url } = await startRunner({ controlPlaneUrl: controlPlane.url });
    expect(await get(`${url}/livez`)).toMatchObject({ status: 200, json: { ok: true } });
    const { status, json } = await get(`${url}/readyz`);
    expect(status).toBe(503);
    expect(Probe.parse(json)).toEqual({ ok: false, reasons: ['not registered with the control plane yet'] });
  });

  test('/readyz is ok once registered', async () => {
    const { url, runner } = await startRunner();
    await runner.ready();
    expect(await get(`${url}/readyz`)).toMatchObject({ status: 200, json: { ok: true, reasons: [] } });
  });
});

test('GET /manifest says what the runner can do', async () => {
  const { url } = await startRunner({ maxConcurrency: 4 });
  const { status, json } = await get(`${url}/manifest`);
  expect(status).toBe(200);
  expect(RunnerManifest.parse(json)).toMatchObject({
    name: 'images',
    version: '1.2.0',
    maxConcurrency: 4,
    features: ['ndjson', 'batch', 'cancel', 'files'],
    capabilities: [
      {
        id: 'hello.greet',
        maxConcurrency: 4,
        supportedJobTypes: ['greeting'],
        inputSchema: { required: ['name'] },
      },
    ],
  });
});

describe('POST /executions/:executionId/cancel', () => {
  test('tells a running execution to stop', async () => {
    const held = createHeld();
    const { url } = await startRunner({ capabilities: [held.capability] });
    const outcome = post(`${url}/execute`, requestOf('held', {}, { executionId: 'e1' }));
    await held.started;
    expect(await post(`${url}/executions/e1/cancel`, { reason: 'user' })).toMatchObject({
      status: 202,
      json: { executionId: 'e1', cancelling: true },
    });
    expect(await outcome).toMatchObject({
      status: 409,
      json: { success: false, error: { code: 'EXECUTION_CANCELLED' } },
    });
    expect(await post(`${url}/executions/e1/cancel`, '')).toMatchObject({
      status: 202,
      json: { cancelling: false },
    });
  });

  test.each([
    [
      'an unknown execution',
      { executionId: 'nothing', body: {} },
      { status: 404, code: 'EXECUTION_NOT_FOUND' },
    ],
    [
      'an unknown reason',
      { executionId: 'e1', body: { reason: 'boredom' } },
      { status: 400, code: 'VALIDATION_ERROR' },
    ],
    [
      'another lease',
      { executionId: 'e1', body: { leaseToken: 'other' } },
      { status: 409, code: 'LEASE_SUPERSEDED' },
    ],
    ['a body that is not JSON', { executionId: 'e1', body: '{oops' }, { status: 400, code: 'INVALID_JSON' }],
    [
      'a path that cannot be decoded',
      { executionId: '%zz', body: {} },
      { status: 400, code: 'VALIDATION_ERROR' },
    ],
  ])('refuses %s', async (_what, { executionId, body }, expected) => {
    const held = createHeld();
    const { url } = await startRunner({ capabilities: [held.capability] });
    const outcome = post(`${url}/execute`, requestOf('held', {}, { executionId: 'e1', leaseToken: 'mine' }));
    await held.started;
    expect(await post(`${url}/executions/${executionId}/cancel`, body)).toMatchObject({
      status: expected.status,
      json: { success: false, error: { code: expected.code } },
    });
    held.done.resolve(1);
    expect((await outcome).status).toBe(200);
  });

  test('needs no body at all', async () => {
    const { url } = await startRunner();
    expect((await fetch(`${url}/executions/none/cancel`, { method: 'POST' })).status).toBe(404);
  });
});

describe('what is not served', () => {
  test.each(['/', '/statuses', '/execute/more', '/nothing?x=1'])(
    '%s is answered 404 with an envelope',
    async (path) => {
      const { url } = await startRunner();
      const { status, json } = await get(`${url}${path}`);
      expect(status).toBe(404);
      expect(ErrorEnvelope.safeParse((json as { error: unknown }).error).success).toBe(true);
      expect(json).toMatchObject({ success: false, error: { code: 'ROUTE_NOT_FOUND' } });
    },
  );

  test.each([
    ['GET', '/execute', 'POST'],
    ['PUT', '/execute', 'POST'],
    ['POST', '/health', 'GET, HEAD'],
    ['DELETE', '/manifest', 'GET, HEAD'],
    ['GET', '/executions/e1/cancel', 'POST'],
  ])('%s %s is answered 405 with the methods that are', async (method, path, allow) => {
    const { url } = await startRunner();
    const response = await fetch(`${url}${path}`, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(allow);
    expect(await response.json()).toMatchObject({ success: false, error: { code: 'METHOD_NOT_ALLOWED' } });
  });
});

describe('mounted into an application', () => {
  async function startApp(prepare: (app: express.Express) => void) {
    const controlPlane = await startRecordingControlPlane();
    const app = express();
    prepare(app);
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const runner = createRunner({
      name: 'images',
      capabilities: [greet],
      controlPlaneUrl: controlPlane.url,
      port,
      logger: false,
      delivery: { kind: 'push', mountAt: '/runner' },
    });
    app.use('/runner', runner.router());
    app.get('/own', (_request, response) => void response.send('mine'));
    await runner.start();
    onTestFinished(async () => {
      await runner.stop();
      server.close();
      server.closeAllConnections();
      await controlPlane.close();
    });
    return { app: `http://127.0.0.1:${port}`, runner, controlPlane };
  }

  test.each([
    ['as it is', () => undefined],
    ["behind the application's JSON parser", (app: express.Express) => void app.use(express.json())],
    ['behind a text parser', (app: express.Express) => void app.use(express.text({ type: () => true }))],
    ['behind a raw parser', (app: express.Express) => void app.use(express.raw({ type: () => true }))],
  ])('serves every form %s', async (_how, prepare) => {
    const { app, runner, controlPlane } = await startApp(prepare);
    await runner.ready();
    expect(runner.url).toBe(`${app}/runner`);
    expect(controlPlane.recorded[0]?.body).toMatchObject({
      healthCheckEndpoint: `${app}/runner/health`,
      delivery: { kind: 'push', executeUrl: `${app}/runner/execute` },
    });
    const body = requestOf('hello.greet', { name: 'Ada' });
    expect(await post(`${app}/runner/execute`, body)).toMatchObject({
      status: 200,
      json: { success: true, data: { message: 'Hello, Ada' } },
    });
    expect(
      (await post(`${app}/runner/execute`, body, { accept: 'application/x-ndjson' })).lines,
    ).toHaveLength(4);
    expect(
      (await post(`${app}/runner/execute`, JSON.stringify(body), { 'content-type': 'application/x-ndjson' }))
        .lines,
    ).toHaveLength(4);
    expect((await get(`${app}/runner/health`)).status).toBe(200);
    expect((await fetch(`${app}/runner/execute`)).status).toBe(405);
    expect((await post(`${app}/runner/executions/job-1/cancel`, {})).json).toMatchObject({
      cancelling: false,
    });
  });

  test('leaves the rest of the application alone', async () => {
    const { app } = await startApp(() => undefined);
    expect(await (await fetch(`${app}/own`)).text()).toBe('mine');
    expect((await fetch(`${app}/runner/nothing`)).status).toBe(404);
  });
});
