import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock, type Clock } from '../../util/clock.js';
import { silentLogger } from '../../util/logger.js';
import type { HostedRunner } from '../host.js';
import { createSessionState, onConnected } from '../session-state.js';
import { createHeartbeat, type HeartbeatParts } from './heartbeat.js';
import { createKeptState } from './kept-state.js';
import { createLineWriter } from './line-writer.js';
import { resolveAutomnOptions, type AutomnOptions } from './options.js';
import { createRegistration } from './registration.js';
import { createSecrets } from './secrets.js';
import { createShared } from './shared-asking.js';

const SECRET = 'default-secret';

async function listen(onRequest: RequestListener): Promise<string> {
  const server = createServer(onRequest);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const runnerWith = (more: Partial<HostedRunner> = {}): HostedRunner =>
  ({
    clock: systemClock,
    logger: silentLogger,
    random: () => 0,
    changed: () => undefined,
    slots: () => ({ used: 0, total: 1 }),
    describe: () => ({}),
    ...more,
  }) as HostedRunner;

async function registrationAt(hostUrl: string, more: Partial<HostedRunner> = {}) {
  const runner = runnerWith(more);
  const options = resolveAutomnOptions({ hostUrl, runnerId: 'default', secret: SECRET }, {});
  const [session, kept] = [createSessionState(runner, hostUrl), createKeptState(runner, options)];
  const before = await kept.read();
  const secrets = await createSecrets(options, before);
  return createRegistration({
    session,
    options,
    secrets,
    kept,
    before,
    endpoint: () => 'http://here/api/run',
  });
}

test('an answer that does not come to its end holds the registrations up no longer than its time', async () => {
  const time = new AbortController();
  vi.spyOn(AbortSignal, 'timeout').mockReturnValue(time.signal);
  onTestFinished(() => void vi.restoreAllMocks());
  const url = await listen((_, response) => void response.writeHead(200).write('{'));
  const registration = await registrationAt(url, {
    async fetch(...request) {
      const response = await fetch(...request);
      setImmediate(() => time.abort());
      return response;
    },
  });
  expect(await registration.perform('startup')).toMatchObject({ ok: false, code: 'UNREACHABLE' });
});

test('an answer is read no further than its bound', async () => {
  const body = JSON.stringify({ registered: true, more: 'x'.repeat(2 * 1024 * 1024) });
  const registration = await registrationAt(await listen((_, response) => void response.end(body)));
  expect(await registration.perform('startup')).toMatchObject({
    ok: false,
    message: expect.stringContaining('larger than'),
  });
});

test('when to come again is heard where the registration was refused for now', async () => {
  const url = await listen((_, response) => void response.writeHead(429, { 'retry-after': '7' }).end());
  const registration = await registrationAt(url);
  expect(await registration.perform('startup')).toMatchObject({ ok: false, retryAfterMs: 7_000 });
});

test('a reader who does not read makes nothing of the progress wait without bound, and misses no result', async () => {
  const written: string[] = [];
  const response = {
    headersSent: true,
    writableLength: 0,
    on: () => undefined,
    write(text: string) {
      written.push(text);
      response.writableLength += text.length;
    },
    end: () => undefined,
  };
  const options = { contentType: 'x', quietMs: 60_000, clock: systemClock };
  const writer = createLineWriter(response as unknown as ServerResponse, options);
  for (let count = 0; count < 3_000; count += 1)
    writer.write({ type: 'progress', message: 'x'.repeat(1_024) });
  expect(response.writableLength).toBeLessThan(1_100_000);
  writer.write({ type: 'log', line: 'said' });
  writer.end();
  expect(written.at(-1)).toContain('said');
});

/** Time that passes only for what {@link createHeartbeat} waits for: each wait is noted, and then over. */
function clockOf(onWait: (delayMs: number) => void): Clock {
  let elapsed = 0;
  return {
    now: () => elapsed,
    elapsed: () => elapsed,
    setTimeout(callback, delayMs) {
      elapsed += delayMs;
      onWait(delayMs);
      return setImmediate(callback);
    },
    clearTimeout: (handle) => clearImmediate(handle as NodeJS.Immediate),
  };
}

async function waitsWithout(secret: AutomnOptions['secret']) {
  const waits: number[] = [];
  const end = new AbortController();
  const clock = clockOf((delayMs) => {
    waits.push(delayMs);
    end.abort();
  });
  const options = resolveAutomnOptions({ hostUrl: 'http://host', runnerId: 'default', secret }, {});
  const session = createSessionState(runnerWith({ clock }), options.hostUrl);
  onConnected(session, 'default');
  const registration = {
    perform: () => Promise.resolve(undefined),
  } as unknown as HeartbeatParts['registration'];
  const secrets = await createSecrets(options, {});
  await createHeartbeat({ session, options, registration, secrets }).run(end.signal);
  return { waits, state: session.state };
}

test('a secret that is not in its file now is looked for at the next heartbeat, and the runner is not connected', async () => {
  expect(await waitsWithout(() => '')).toEqual({ waits: [60_000], state: 'connecting' });
});

test('a secret that can only be entered is waited for', async () => {
  expect(await waitsWithout(undefined)).toEqual({ waits: [2_147_483_647], state: 'connecting' });
});

test('registrations that anybody may ask for are one for all who wait, and one a second', async () => {
  const waits: number[] = [];
  let asked = 0;
  const ask = createShared(
    clockOf((delayMs) => waits.push(delayMs)),
    async () => {
      asked += 1;
      return { ok: true };
    },
  );
  await Promise.all([ask(), ask(), ask()]);
  expect({ asked, waits }).toEqual({ asked: 1, waits: [] });
  await Promise.all([ask(), ask()]);
  expect({ asked, waits }).toEqual({ asked: 2, waits: [1_000] });
});

test('what is kept is for its owner alone, whether the URL ends in a slash or not, and for no other control plane', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'automn-kept-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const stateFile = join(folder, 'runner-state.json');
  const warned: unknown[] = [];
  const runner = runnerWith({ logger: { ...silentLogger, warn: (...said: unknown[]) => warned.push(said) } });
  const at = (hostUrl: string) =>
    createKeptState(runner, resolveAutomnOptions({ hostUrl, runnerId: 'default', stateFile }, {}));
  await at('http://host/').write({ secret: SECRET, hostUrl: 'http://host/', runnerId: 'default' });
  expect((await stat(stateFile)).mode & 0o777).toBe(0o600);
  expect(await at('http://host').read()).toMatchObject({ secret: SECRET });
  expect(warned).toEqual([]);
  expect(await at('http://other').read()).toEqual({});
  expect(warned).toHaveLength(1);
  expect(JSON.stringify(warned)).not.toContain(SECRET);
});
