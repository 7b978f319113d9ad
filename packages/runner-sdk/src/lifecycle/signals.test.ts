import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDeferred } from '../util/deferred.js';
import { silentLogger } from '../util/logger.js';
import { startProcess } from './runner-process.suite.js';
import { post, requestOf } from './runner-fixture.suite.js';
import { drainAndExit, handleSignals } from './signals.js';

function install(onAbort: () => void = () => undefined) {
  const drained = createDeferred<void>();
  const exits: number[] = [];
  const exited = createDeferred<number>();
  const calls: string[] = [];
  const uninstall = handleSignals({
    drain: () => {
      calls.push('drain');
      return drained.promise;
    },
    abort: () => {
      calls.push('abort');
      onAbort();
    },
    logger: silentLogger,
    exit: (code) => {
      exits.push(code);
      exited.resolve(code);
    },
  });
  onTestFinished(uninstall);
  return { drained, exited: exited.promise, exits, calls, uninstall };
}

describe('signals', () => {
  test('the first drains, and exits 0 when all is done', async () => {
    const { drained, exited, exits, calls } = install();
    process.emit('SIGTERM');
    expect(calls).toEqual(['drain']);
    expect(exits).toEqual([]);
    drained.resolve();
    expect(await exited).toBe(0);
  });

  test('the second aborts and exits 1, once what the abort has to say is written', async () => {
    const { drained, exited, exits, calls } = install(() => void setImmediate(() => calls.push('written')));
    process.emit('SIGINT');
    process.emit('SIGTERM');
    // Aborting ends what the drain waits for: it must not exit with another code meanwhile.
    drained.resolve();
    await exited;
    expect(calls).toEqual(['drain', 'abort', 'written']);
    expect(exits).toEqual([1]);
  });

  test('a terminal that closes drains, however often it says so', async () => {
    const { drained, exited, calls } = install();
    process.emit('SIGHUP', 'SIGHUP');
    process.emit('SIGHUP', 'SIGHUP');
    drained.resolve();
    expect(await exited).toBe(0);
    expect(calls).toEqual(['drain']);
  });

  test('the process ends with the last of its runners that drains', async () => {
    const first = install();
    const second = install();
    process.emit('SIGTERM');
    first.drained.resolve();
    await new Promise(setImmediate);
    expect(first.exits).toEqual([]);
    second.drained.resolve();
    expect(await second.exited).toBe(0);
    expect(first.exits).toEqual([]);
  });

  test('the process goes on for a runner that nobody told to drain', async () => {
    const first = install();
    const second = install();
    const exits: number[] = [];
    const drained = createDeferred<void>();
    const exit = (code: number): void => void exits.push(code);
    // As when the control plane asks one of them to leave, or refuses it: its handlers go with it.
    drainAndExit({ drain: () => drained.promise, abort: () => undefined, logger: silentLogger, exit }, 69);
    first.uninstall();
    drained.resolve();
    await new Promise(setImmediate);
    expect(exits).toEqual([]);
    process.emit('SIGTERM');
    second.drained.resolve();
    expect(await second.exited).toBe(69);
  });

  test('a drain that fails exits 1', async () => {
    const { drained, exited } = install();
    process.emit('SIGTERM');
    drained.reject(new Error('no'));
    expect(await exited).toBe(1);
  });

  test('nothing is left when taken away', () => {
    const before = process.listenerCount('SIGTERM');
    install().uninstall();
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });
});

describe('a runner in a process of its own', () => {
  test('finishes what runs on SIGTERM, deregisters and exits 0', async () => {
    const { child, controlPlane, url } = await startProcess();
    const outcome = post(`${url}/execute`, requestOf('wait', { ms: 300 }));
    while (((await (await fetch(`${url}/readyz`)).json()) as { ok: boolean }).ok === false);
    const announced = controlPlane.next(/heartbeat$/);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect((await announced).body).toMatchObject({ draining: true });
    expect(await outcome).toMatchObject({ status: 200, json: { success: true, data: 'done' } });
    expect(await ended).toEqual([0, null]);
    expect(controlPlane.recorded.at(-1)?.path).toBe('/runners/runner-1/deregister');
  });

  test('drains when its terminal closes, which takes no log any more', async () => {
    const { child, controlPlane, url } = await startProcess({ LOG_LEVEL: 'info' });
    const outcome = post(`${url}/execute`, requestOf('wait', { ms: 300 }));
    while (((await (await fetch(`${url}/readyz`)).json()) as { ok: boolean }).ok === false);
    let said = '';
    const isDraining = createDeferred<void>();
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('draining;')) isDraining.resolve();
    });
    const ended = once(child, 'exit');
    child.kill('SIGHUP');
    await isDraining.promise;
    child.stderr.destroy();
    expect(await outcome).toMatchObject({ status: 200, json: { success: true, data: 'done' } });
    expect(await ended).toEqual([0, null]);
    expect(controlPlane.recorded.at(-1)?.path).toBe('/runners/runner-1/deregister');
  });

  test('that lets its last job finish hands it back in time after SIGTERM', async () => {
    const { child, controlPlane, url } = await startProcess({ RUNNER_MAX_JOBS: '1', RUNNER_DRAIN_MS: '100' });
    const announced = controlPlane.next(/heartbeat$/);
    const outcome = post(`${url}/execute`, requestOf('wait', { ms: 60_000 }));
    expect((await announced).body).toMatchObject({ draining: true });
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect((await outcome).json).toMatchObject({ error: { code: 'RUNNER_SHUTDOWN', retryable: true } });
    expect(await ended).toEqual([0, null]);
    expect(controlPlane.recorded.at(-1)?.path).toBe('/runners/runner-1/deregister');
  });

  test('ends at once on a second signal with exit code 1', async () => {
    const { child, controlPlane, url } = await startProcess();
    const outcome = post(`${url}/execute`, requestOf('wait', { ms: 60_000 })).catch(() => 'cut off');
    while (((await (await fetch(`${url}/readyz`)).json()) as { ok: boolean }).ok === false);
    const announced = controlPlane.next(/heartbeat$/);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await announced;
    child.kill('SIGINT');
    expect(await ended).toEqual([1, null]);
    await outcome;
  });
});
