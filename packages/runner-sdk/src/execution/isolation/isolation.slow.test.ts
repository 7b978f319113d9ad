import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createIsolated, type Kind } from './isolated-executor.suite.js';

describe.each<Kind>(['thread', 'process'])('a handler in a %s of its own', (kind) => {
  test('that heard of its cancel and goes on is stopped by force after its grace', async () => {
    const { start, executor } = createIsolated(kind, { limits: { cancelGraceMs: 300 } });
    const { id, ended } = start({ do: 'deaf' });
    await start({ do: 'echo' }).ended;
    executor.cancel(id, 'user');
    expect(await ended).toMatchObject({ type: 'cancelled' });
    expect(executor.running()).toEqual([]);
  });

  test('that logs in an endless loop fills no memory', async () => {
    const { start } = createIsolated(kind);
    const { ended, events } = start({ do: 'chatter' }, { timeoutMs: 500 });
    expect(await ended).toMatchObject({ error: { code: 'EXECUTION_TIMEOUT' } });
    expect(events.length).toBeLessThan(10_100);
  });
});

describe('a process', () => {
  test('takes the programs that it started with it', async () => {
    const { start } = createIsolated('process');
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { ended } = start({ do: 'parent', port }, { timeoutMs: 1500 });
    const [program] = (await once(server, 'connection')) as [Socket];
    // Ended by force, it leaves a connection that is reset or closed.
    const left = new Promise((resolve) => program.on('error', () => undefined).on('close', resolve));
    expect(await ended).toMatchObject({ error: { code: 'EXECUTION_TIMEOUT' } });
    await left;
  });
});
