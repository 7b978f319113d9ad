import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createJobForge, type JobForge } from '@controlplane/jobforge';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openGate, type Gate } from '../deliveries/gate.js';
import { beginRunner, endProcess, endProcesses, startRunner } from './processes.js';

/**
 * What becomes of a runner that was taken in with an enrollment token, whatever happens to its connection, its process,
 * its machine and its token: it goes on as the runner that it was, or ends with the exit code of why not.
 */
const DELIVERIES = ['push', 'websocket', 'long-poll'] as const;

let forge: JobForge;
let gate: Gate;
let folder = '';

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'restarts-'));
  const auth = { adminToken: 'an-admin-token-of-this-test-0123456789' };
  const limits = { heartbeatIntervalMs: 1_000 };
  forge = await createJobForge({ store: 'memory', listen: { port: 0 }, auth, limits }).start();
  gate = await openGate(Number(new URL(forge.url ?? '').port));
});
afterEach(async () => {
  await endProcesses();
  await gate.close();
  await forge.stop({ drainMs: 0 });
  rmSync(folder, { recursive: true });
});

interface TokenTerms {
  readonly lifetimeMs?: number;
  readonly durable?: boolean;
}

/** An enrollment token for one machine. */
async function tokenOf({ lifetimeMs = 3_600_000, durable = true }: TokenTerms = {}): Promise<string> {
  const terms = { kind: 'enrollment', name: 'eu', lifetimeMs, maxMachines: 1, durable } as const;
  const { token } = await forge.operations.createToken(terms);
  return token;
}

interface Where {
  readonly delivery: string;
  readonly token: string;
  /** Default: the one machine that there is. */
  readonly machine?: string;
}

const environment = ({ delivery, token, machine = 'one' }: Where): Record<string, string> => ({
  JOBFORGE_URL: gate.url,
  DELIVERY: delivery,
  RUNNER_NAME: 'held',
  RUNNER_TOKEN: token,
  RUNNER_MACHINE_ID: machine,
  RUNNER_STATE_DIR: join(folder, machine),
});

const startHeld = (where: Where): Promise<ChildProcess> => startRunner('held.mjs', environment(where));
const exitOf = async (child: ChildProcess): Promise<number> => ((await once(child, 'exit')) as [number])[0];

/** Submits a job and waits until its handler runs. */
async function beginJob(child: ChildProcess, id: string): Promise<void> {
  const began = once(child, 'message');
  await forge.submit({ id, capability: 'held.run', input: {} });
  expect((await began)[0]).toMatchObject({ began: id });
}

const runners = async (): Promise<string[]> => (await forge.operations.listRunners()).map(({ id }) => id);

describe.each(DELIVERIES)('a runner that was taken in, by %s', (delivery) => {
  it('goes on with its job when its connections are cut', async () => {
    const child = await startHeld({ delivery, token: await tokenOf() });
    const before = await runners();
    await beginJob(child, 'j1');
    gate.cut();
    child.send({ release: ['j1'] });
    expect(await forge.job('j1').result()).toMatchObject({ success: true, metadata: { attempts: 1 } });
    expect(await runners()).toEqual(before);
  });

  it('is who it was when its process starts again, also after its token has expired', async () => {
    const token = await tokenOf({ lifetimeMs: 2_000 });
    const first = await startHeld({ delivery, token });
    const before = await runners();
    expect(await endProcess(first, 'SIGTERM')).toBe(0);
    const stateOf = async (): Promise<string | undefined> => (await forge.operations.listTokens())[0]?.state;
    await expect.poll(stateOf).toBe('expired');
    const second = await startHeld({ delivery, token });
    expect(await runners()).toEqual(before);
    const ended = forge.submit({ id: 'j1', capability: 'held.run', input: {} });
    expect((await once(second, 'message'))[0]).toMatchObject({ began: 'j1' });
    second.send({ release: ['j1'] });
    expect(await (await ended).result()).toMatchObject({ success: true });
  });

  it('is who it was when its machine has crashed, and what it ran runs once more', async () => {
    const token = await tokenOf();
    const first = await startHeld({ delivery, token });
    const before = await runners();
    await beginJob(first, 'j1');
    await endProcess(first, 'SIGKILL');
    const second = beginRunner('held.mjs', environment({ delivery, token }));
    for await (const [said] of messagesOf(second)) if ('began' in said) break;
    second.send({ release: ['j1'] });
    expect(await forge.job('j1').result()).toMatchObject({ success: true, metadata: { attempts: 2 } });
    expect(await runners()).toEqual(before);
    expect((await forge.operations.listTokens())[0]?.machines).toHaveLength(1);
  });

  it('ends with 68 when a token expires that gives no secret, and cannot come back', async () => {
    const token = await tokenOf({ lifetimeMs: 2_000, durable: false });
    const first = await startHeld({ delivery, token });
    expect(await exitOf(first)).toBe(68);
    expect(await exitOf(beginRunner('held.mjs', environment({ delivery, token })))).toBe(68);
  });

  it('ends with 69 when its token is revoked, and cannot come back', async () => {
    const token = await tokenOf();
    const first = await startHeld({ delivery, token });
    await forge.operations.revokeToken('eu');
    expect(await exitOf(first)).toBe(69);
    expect(await exitOf(beginRunner('held.mjs', environment({ delivery, token })))).toBe(69);
  });

  it('keeps its place: a second machine with the same token ends with 70', async () => {
    const token = await tokenOf();
    await startHeld({ delivery, token });
    const before = await runners();
    expect(await exitOf(beginRunner('held.mjs', environment({ delivery, token, machine: 'two' })))).toBe(70);
    expect(await runners()).toEqual(before);
  });
});

async function* messagesOf(child: ChildProcess): AsyncGenerator<[object]> {
  for (;;) yield (await once(child, 'message')) as [object];
}
