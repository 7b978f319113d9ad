import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TerminalEvent } from '@controlplane/contracts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createCapabilityRegistry } from '../../capability/capability-registry.js';
import { createSlots } from '../admission.js';
import { createExecutor } from '../executor.js';
import { isolateCapabilities } from './isolate-capabilities.js';
import {
  BROUGHT,
  CAPABILITIES,
  createIsolated,
  dataOf,
  WRONG_SHA256,
  type Kind,
} from './isolated-executor.suite.js';

describe.each<Kind>(['thread', 'process'])('a handler in a %s of its own', (kind) => {
  test('knows what any handler knows, and is warm for the next execution', async () => {
    const { start } = createIsolated(kind);
    const more = { attempt: 2, checkpoint: { page: 4 }, metadata: { correlationId: 'c' } };
    const first = dataOf(await start({ do: 'echo', when: new Date(0) }, more).ended);
    expect(first).toMatchObject({
      given: { do: 'echo' },
      jobId: 'j',
      attempt: 2,
      lastCheckpoint: { page: 4 },
      metadata: { correlationId: 'c' },
      counted: 1,
    });
    expect(Date.parse(String(first['deadline']))).toBeGreaterThan(Date.now() + 20_000);
    if (kind === 'process') expect(first['pid']).not.toBe(process.pid);
    expect(dataOf(await start({ do: 'echo' }).ended)).toMatchObject({ counted: 2, pid: first['pid'] });
  });

  test('says what any handler says, in order, without its secrets', async () => {
    const { start } = createIsolated(kind);
    const { events, ended } = start({ do: 'speak' });
    expect(await ended).toMatchObject({ type: 'succeeded', data: 'spoken' });
    expect(events).toMatchObject([
      { type: 'accepted' },
      { type: 'log', level: 'info', message: 'starting', fields: { key: 'my [redacted]' } },
      { type: 'progress', fraction: 0.5, message: 'half' },
      { type: 'checkpoint', data: { page: 1 } },
      { type: 'extended', timeoutMs: 31_000 },
      { type: 'writing' },
      { type: 'log', stream: 'stdout', message: 'bytes printed\n' },
      { type: 'log', level: 'warn', message: 'extended', fields: { same: true } },
      { type: 'succeeded' },
    ]);
  });

  test('leaves files of all kinds with the job', async () => {
    const { start, left } = createIsolated(kind);
    const event = await start({ do: 'leave' }).ended;
    const [bytes, text, file, stream] = left;
    expect([bytes, text, stream]).toEqual(['\u0000\u00ff', 'text', 'one two']);
    expect(file).toContain('Capabilities for the isolation tests');
    expect(event).toMatchObject({ type: 'succeeded', data: [2, 4, file?.length, 7, 'ARTIFACT_REFUSED'] });
  });

  test('reads the files of its job, and is told which are missing or damaged', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'isolated-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const { start } = createIsolated(kind);
    const about = { bytes: BROUGHT.length, contentType: 'text/csv' };
    const good = { ...about, name: 'good', sha256: createHash('sha256').update(BROUGHT).digest('hex') };
    const files = [good, { ...about, name: 'damaged', sha256: WRONG_SHA256 }];
    const event = await start({ do: 'read', path: join(folder, 'saved') }, { files }).ended;
    expect(dataOf(event)).toEqual({
      names: ['good', 'damaged'],
      text: BROUGHT,
      saved: good,
      codes: ['FILE_MISSING', 'FILE_MISMATCH'],
    });
    expect(await readdir(folder)).toEqual(['saved']);
    expect(await readFile(join(folder, 'saved'), 'utf8')).toBe(BROUGHT);
  });

  test('throws what any handler throws', async () => {
    const { start } = createIsolated(kind);
    expect(await start({ do: 'fail' }).ended).toMatchObject({
      type: 'failed',
      error: {
        code: 'NOT_FOUND',
        message: 'no such thing',
        retryable: false,
        causes: [{ name: 'TypeError', message: 'deep' }],
      },
    });
    expect(await start({ do: 'refuse' }).ended).toMatchObject({
      error: { code: 'EXECUTION_FAILED', causes: [{ code: 'EXTENSION_REFUSED' }] },
    });
  });

  test('hears of a cancel', async () => {
    const { start, executor } = createIsolated(kind);
    const { id, ended, events } = start({ do: 'wait' });
    await start({ do: 'echo' }).ended;
    executor.cancel(id, 'user');
    expect(await ended).toMatchObject({ type: 'cancelled', reason: 'user' });
    expect(events).toHaveLength(2);
  });

  test('that computes and yields hears of its cancel', async () => {
    const { start, executor } = createIsolated(kind, { slots: 1 });
    expect(dataOf(await start({ do: 'echo' }).ended)).toMatchObject({ counted: 1 });
    const { id, ended, says } = start({ do: 'compute' });
    await says('computing');
    executor.cancel(id, 'user');
    const { type } = (await ended) as TerminalEvent;
    expect(type).toBe('cancelled');
    // After an end by force the next one would be the first of another.
    expect(dataOf(await start({ do: 'echo' }).ended)).toMatchObject({ counted: 2 });
  });

  test('in an endless loop is stopped by force at its deadline, and its slot is free', async () => {
    const { start, executor } = createIsolated(kind, { slots: 1 });
    const before = performance.now();
    expect(await start({ do: 'loop' }, { timeoutMs: 600 }).ended).toMatchObject({
      type: 'failed',
      error: { code: 'EXECUTION_TIMEOUT' },
    });
    expect(performance.now() - before).toBeLessThan(3_500);
    expect(executor.running()).toEqual([]);
    expect(await start({ do: 'echo' }).ended).toMatchObject({ type: 'succeeded', data: { counted: 1 } });
  });

  test('that ends its thread or process has failed, and the next one starts anew', async () => {
    const { start } = createIsolated(kind, { slots: 1 });
    expect(await start({ do: 'exit' }).ended).toMatchObject({
      type: 'failed',
      error: { code: 'EXECUTION_CRASHED', retryable: true, message: expect.stringContaining('with code 3') },
    });
    expect(await start({ do: 'echo' }).ended).toMatchObject({ type: 'succeeded' });
  });

  test('whose module cannot be used is told at the start', async () => {
    const capability = { ...CAPABILITIES[kind], id: 'not.there' };
    const isolation = isolateCapabilities([capability], { slots: 1, cancelGraceMs: 1000 });
    onTestFinished(() => isolation.close());
    await expect(isolation.start()).rejects.toMatchObject({
      code: 'INVALID_CAPABILITY',
      message: expect.stringContaining('capability "not.there" cannot be isolated'),
    });
  });
});

describe('a process', () => {
  test('sees harmless variables and those that its capability names, and nothing else', async () => {
    process.env['NAMED_VARIABLE'] = 'named';
    process.env['RUNNER_TOKEN'] = 'secret';
    process.env['SOMETHING_ELSE'] = 'else';
    onTestFinished(() => {
      for (const name of ['NAMED_VARIABLE', 'RUNNER_TOKEN', 'SOMETHING_ELSE']) delete process.env[name];
    });
    const { start } = createIsolated('process');
    const seen = dataOf(await start({ do: 'environment' }).ended);
    expect(seen).toMatchObject({ NAMED_VARIABLE: 'named', PATH: process.env['PATH'] });
    expect(Object.keys(seen)).not.toContain('RUNNER_TOKEN');
    expect(Object.keys(seen)).not.toContain('SOMETHING_ELSE');
  });

  test('that ends by itself takes the programs that it started with it', async () => {
    const { start } = createIsolated('process');
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { ended } = start({ do: 'orphan', port });
    const [program] = (await once(server, 'connection')) as [Socket];
    const left = new Promise((resolve) => program.on('error', () => undefined).on('close', resolve));
    expect(await ended).toMatchObject({ error: { code: 'EXECUTION_CRASHED' } });
    await left;
  });

  test('that is killed is a failed execution', async () => {
    const { start } = createIsolated('process');
    expect(await start({ do: 'die' }).ended).toMatchObject({
      error: { code: 'EXECUTION_CRASHED', message: expect.stringContaining('SIGKILL') },
    });
  });
});

test('executions beyond the pool wait for a thread of it', async () => {
  const isolation = isolateCapabilities([{ ...CAPABILITIES.thread, maxConcurrency: 1 }], {
    slots: 5,
    cancelGraceMs: 1000,
  });
  onTestFinished(() => isolation.close());
  const executor = createExecutor({
    registry: createCapabilityRegistry(isolation.capabilities.map((one) => ({ ...one, maxConcurrency: 5 }))),
    slots: createSlots(5),
    service: 'fixture',
  });
  const results = await Promise.all(
    [1, 2, 3, 4, 5].map(async (number) => {
      const base = { jobId: 'j', moduleId: 'm', metadata: {}, attempt: 1 };
      const request = {
        ...base,
        executionId: `w-${number}`,
        capabilityId: 'isolated.thread',
        payload: { do: 'echo' },
      };
      for await (const event of executor.execute(request))
        if (event.type === 'succeeded') return dataOf(event);
      return {};
    }),
  );
  expect(results.map(({ counted }) => counted)).toEqual([1, 2, 3, 4, 5]);
});
