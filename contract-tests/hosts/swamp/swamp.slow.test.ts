import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { swamp } from '@controlplane/runner-sdk/swamp';
import type { SwampFrame } from '@controlplane/contracts/swamp';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { recorded } from '../matches-recorded.js';
import { temporaryFolder } from '../served-runner.js';
import { begin, serve, startHost } from './served.js';
import { TRANSCRIPT } from './transcript.js';

// A runner with the shell capability at a swamp.

afterEach(() => vi.unstubAllEnvs());

describe('the protocol', () => {
  test('a recorded session is held frame by frame', async () => {
    const host = await startHost();
    await serve(host, { labels: { region: 'eu' } });
    let said = 0;
    for (const { from, frame } of TRANSCRIPT) {
      if (from === 'server') host.send(frame as SwampFrame);
      else {
        said += 1;
        await host.frames.count(() => true, said);
      }
    }
    const expected = TRANSCRIPT.filter(({ from }) => from === 'runner');
    expect(host.frames.all).toEqual(expected.map(({ frame }) => recorded(frame)));
    expect(host.plane.strange).toEqual([]);
  });

  test('results are written through the data plane, with the credential of the dispatch', async () => {
    const host = await startHost();
    await serve(host);
    host.plane.credentials.add('one-dispatch');
    const dispatch = host.dispatch('echo out; echo err >&2', {
      more: { dispatchCredential: 'one-dispatch' },
    });
    expect((await host.ended(dispatch)).result?.status).toBe('success');
    const { writes } = host.plane;
    expect(writes.map(({ path }) => path)).toEqual([
      '/data/resource',
      '/data/writers',
      '/data/writers/w-1/content',
    ]);
    expect(new Set(writes.map(({ authorization }) => authorization))).toEqual(
      new Set(['Bearer one-dispatch']),
    );
    expect(JSON.parse(writes[0]?.body ?? '')).toEqual({
      specName: 'result',
      name: 'result',
      data: {
        exitCode: 0,
        stdout: 'out\n',
        stderr: 'err\n',
        command: 'echo out; echo err >&2',
        durationMs: expect.any(Number),
        executedAt: expect.any(String),
      },
    });
    expect(writes[2]?.body).toBe('[stdout]\nout\n\n[stderr]\nerr\n');
  });

  test('a session is renewed before it ends', async () => {
    const host = await startHost();
    host.behaviour.sessionMs = 1_500;
    await serve(host);
    await host.asked('worker.session.refresh');
  });

  test('arguments of the model and of the call are taken together', async () => {
    const host = await startHost();
    await serve(host);
    const dispatch = host.dispatch('pwd; echo $ONE; exit 4', {
      args: { workingDir: '/', ignoreExitCode: true },
      execution: { globalArgs: { env: { ONE: 'uno' } } },
    });
    expect((await host.ended(dispatch)).result?.status).toBe('success');
    expect(dispatch.lines).toEqual(['stdout: /', 'stdout: uno']);
  });

  test('what is not a line for the shell is refused, and says what is', async () => {
    const host = await startHost();
    await serve(host);
    const dispatch = host.dispatch('x', { execution: { modelType: 'aws/ec2', methodName: 'create' } });
    const { result } = await host.ended(dispatch);
    expect(result).toMatchObject({ status: 'error', outputs: [] });
    expect(result?.error).toMatch(/runs command\/shell execute, and not aws\/ec2 create/);
    expect((await host.ended(host.dispatch('x', { execution: { protocolVersion: 3 } }))).error?.code).toBe(
      'protocol_mismatch',
    );
  });

  test('a draining runner says so, and no more than its slots is taken', async () => {
    const host = await startHost();
    const runner = await serve(host, {}, { maxConcurrency: 1 });
    const flag = join(temporaryFolder(), 'go');
    const first = host.dispatch(`echo on; until [ -e ${flag} ]; do sleep 0.05; done; echo off`);
    await host.line(first);
    expect((await host.ended(host.dispatch('true'))).error?.code).toBe('worker_busy');
    const stopped = runner.stop();
    await host.asked('worker.drain');
    expect((await host.ended(host.dispatch('true'))).error?.code).toBe('worker_draining');
    writeFileSync(flag, '');
    await stopped;
    // Its last result was read before the connection was closed.
    expect(first).toMatchObject({ lines: ['stdout: on', 'stdout: off'], result: { status: 'success' } });
  });
});

describe('enrollment', () => {
  test('the environment of swamp’s own runner is enough', async () => {
    const host = await startHost();
    const cacheDir = temporaryFolder();
    writeFileSync(join(cacheDir, 'machine-id'), 'bound-machine\n');
    vi.stubEnv('SWAMP_ORCHESTRATOR_URL', host.url);
    vi.stubEnv('SWAMP_WORKER_TOKEN', 'fleet.s3cret');
    vi.stubEnv('SWAMP_WORKER_LABELS', 'region=eu,gpu=yes');
    vi.stubEnv('SWAMP_WORKER_CACHE_DIR', cacheDir);
    const runner = await begin(host, {}, { hosts: [swamp()] });
    await runner.ready();
    expect(host.enrollments.all[0]).toMatchObject({
      machineId: 'bound-machine',
      labels: { region: 'eu', gpu: 'yes' },
    });
  });

  test('a machine id that is made is kept in the folder', async () => {
    const host = await startHost();
    const cacheDir = join(temporaryFolder(), 'cache');
    await serve(host, { cacheDir });
    expect(readFileSync(join(cacheDir, 'machine-id'), 'utf8')).toBe(host.enrollments.all[0]?.machineId);
  });

  test.each([
    ['TOKEN_REVOKED', 69, 'revoked'],
    ['TOKEN_EXPIRED', 68, 'expired'],
  ] as const)('a token that is refused with %s ends it', async (code, exitCode, state) => {
    const host = await startHost();
    // A name that holds the word of another refusal is not taken for it.
    host.plane.tokens.set('does-not-match', { secret: 's', state, machineId: undefined });
    const runner = await begin(host, { token: 'does-not-match.s' });
    await expect(runner.ready()).rejects.toMatchObject({ refusal: { code, exitCode } });
  });

  test.each([
    ['an unknown token', 'nobody.s', 'CREDENTIAL_INVALID'],
    ['a wrong secret', 'fleet.wrong', 'CREDENTIAL_INVALID'],
    ['no token at all', 'fleet', 'CREDENTIAL_INVALID'],
  ])('%s ends it', async (_what, token, code) => {
    const host = await startHost();
    const runner = await begin(host, { token });
    await expect(runner.ready()).rejects.toMatchObject({ refusal: { code } });
  });

  test('another machine and another protocol end it', async () => {
    const host = await startHost();
    host.plane.tokens.set('fleet', { secret: 's3cret', state: 'good', machineId: 'machine-2' });
    const runner = await begin(host);
    await expect(runner.ready()).rejects.toMatchObject({ refusal: { code: 'MACHINE_MISMATCH' } });
    host.behaviour.protocolVersion = 5;
    const other = await begin(host);
    await expect(other.ready()).rejects.toMatchObject({ refusal: { code: 'CONTRACT_MISMATCH' } });
  });

  test('an earlier process that still holds the session is waited for', async () => {
    const host = await startHost();
    host.behaviour.isConnected = true;
    const runner = await begin(host);
    await host.frames.count((frame) => frame.type === 'rpc.request', 2);
    host.behaviour.isConnected = false;
    await runner.ready();
  });

  test('a connection that was lost before the answer hides no refusal of the next', async () => {
    const host = await startHost();
    host.behaviour.enroll = 'cut';
    const runner = await begin(host);
    await host.asked('worker.enroll');
    host.behaviour.serverToken = 'door';
    await expect(runner.ready()).rejects.toMatchObject({ refusal: { code: 'CREDENTIAL_INVALID' } });
    expect(host.plane.upgrades).toBe(2);
  });

  test('a control plane that asks who connects is told', async () => {
    const host = await startHost();
    host.behaviour.serverToken = 'door';
    await serve(host, { serverToken: 'door' });
    const stranger = await begin(host);
    await expect(stranger.ready()).rejects.toMatchObject({ refusal: { code: 'CREDENTIAL_INVALID' } });
  });

  test('a runner that is not to reconnect stops when its connection is gone', async () => {
    const host = await startHost();
    const runner = await serve(host, { reconnect: false });
    host.drop();
    await expect.poll(() => runner.state, { timeout: 30_000 }).toBe('stopped');
  });
});
