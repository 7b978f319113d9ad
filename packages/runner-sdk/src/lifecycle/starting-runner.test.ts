import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { startRecordingControlPlane } from './recording-control-plane.js';
import { greet, post, requestOf, startRunner } from './runner-fixture.suite.js';
import type { Capability } from '../capability/capability.js';
import { createRunner } from './runner.js';
// @ts-expect-error a module of the tests, in JavaScript: a thread loads it as it is
import { slowToLoad } from './slow-module.fixture.mjs';

test('a start that failed because the port was taken may be tried again', async () => {
  const controlPlane = await startRecordingControlPlane();
  onTestFinished(controlPlane.close);
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const runner = createRunner({
    name: 'images',
    capabilities: [greet],
    port,
    controlPlaneUrl: controlPlane.url,
    logger: false,
    handleSignals: false,
  });
  onTestFinished(() => runner.stop({ drainMs: 1 }));
  await expect(runner.start()).rejects.toMatchObject({
    code: 'LISTEN_FAILED',
    message: expect.stringContaining(`port ${port} is taken`),
  });
  expect(runner.state).toBe('created');
  expect(controlPlane.recorded).toEqual([]);
  other.close();
  await once(other, 'close');
  await runner.start();
  await runner.ready();
  const { json } = await post(`${runner.url}/execute`, requestOf('hello.greet', { name: 'Ada' }));
  expect(json).toMatchObject({ success: true });
});

test('what its capabilities warn of is logged when it starts, once each', async () => {
  const controlPlane = await startRecordingControlPlane();
  onTestFinished(controlPlane.close);
  const warnings: unknown[] = [];
  const warn = (...said: unknown[]): void => void warnings.push(said);
  const silent = (): void => undefined;
  const runner = createRunner({
    name: 'images',
    capabilities: [greet, { ...greet, id: 'hello.loud', startWarning: 'it can be heard next door' }],
    port: 0,
    controlPlaneUrl: controlPlane.url,
    logger: { debug: silent, info: silent, warn, error: silent },
    handleSignals: false,
  });
  onTestFinished(() => runner.stop({ drainMs: 1 }));
  await runner.start();
  expect(warnings).toEqual([[{ capability: 'hello.loud' }, 'hello.loud: it can be heard next door']]);
});

// No endpoint of its own for a startup probe: that there is an answer says it, and /readyz says the rest.
test('nothing is answered before a runner has started; then it is live, and ready once registered', async () => {
  const gate = createTcpServer().listen(0, '127.0.0.1');
  onTestFinished(() => void gate.close());
  await once(gate, 'listening');
  vi.stubEnv('SLOW_MODULE_PORT', String((gate.address() as AddressInfo).port));
  onTestFinished(() => void vi.unstubAllEnvs());
  const controlPlane = await startRecordingControlPlane();
  onTestFinished(controlPlane.close);
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  const runner = createRunner({
    name: 'images',
    capabilities: [slowToLoad as Capability],
    port,
    controlPlaneUrl: controlPlane.url,
    logger: false,
    handleSignals: false,
  });
  onTestFinished(() => runner.stop({ drainMs: 1 }));
  const starting = runner.start();
  const [loading] = (await once(gate, 'connection')) as [Socket];
  const statusOf = async (path: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  await expect(statusOf('/livez')).rejects.toThrow('fetch failed');
  loading.destroy();
  await starting;
  expect(await statusOf('/livez')).toBe(200);
  await runner.ready();
  expect(await statusOf('/readyz')).toBe(200);
});

describe('in Kubernetes', () => {
  const warningsOf = async (drainMs: number): Promise<string[]> => {
    const lines: string[] = [];
    const quiet = (): void => undefined;
    const warn = (_fields: object | string, message?: string): void => void lines.push(message ?? '');
    await startRunner({ drainMs, logger: { debug: quiet, info: quiet, warn, error: quiet } });
    return lines.filter((line) => line.includes('Kubernetes'));
  };

  test('a drain that outlasts the grace of a pod is warned of at the start', async () => {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', '10.0.0.1');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await warningsOf(25_000)).toEqual([]);
    expect(await warningsOf(30_000)).toEqual([expect.stringContaining('terminationGracePeriodSeconds')]);
  });

  test('is not where a pod is not', async () => {
    expect(await warningsOf(30_000)).toEqual([]);
  });
});
