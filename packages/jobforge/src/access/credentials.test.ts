import { afterEach, describe, expect, it } from 'vitest';
import { openGuarded, type GuardedForge } from '../testing/guarded-forge.js';
import type { StubRunner } from '../testing/stub-runner.js';

const test = openGuarded();
afterEach(test.close);

const stub = (): Promise<StubRunner> => test.runner({ form: 'json', handle: () => undefined });
const codeOf = async (asked: ReturnType<GuardedForge['ask']>): Promise<unknown> => {
  const { status, body } = await asked;
  return [status, body.error?.code];
};

interface Enrolled {
  readonly forge: GuardedForge;
  readonly runnerId: string;
  readonly session: string;
  readonly secret: string;
  /** Beats with a credential; resolves with what was answered. */
  beat(as: string): ReturnType<GuardedForge['ask']>;
}

async function enrolled(terms: Record<string, unknown> = {}): Promise<Enrolled> {
  const forge = await test.guarded();
  const { token } = await forge.token({ name: 'eu', kind: 'enrollment', lifetimeMs: 86_400_000, ...terms });
  const { body } = await forge.enroll(await stub(), token);
  const { runnerId, sessionCredential, runnerSecret = '' } = body;
  const beat: Enrolled['beat'] = (as) => {
    const timestamp = new Date(forge.clock.now()).toISOString();
    return forge.ask('POST', '/runners/heartbeat', { as, body: { runnerId, timestamp, status: 'healthy' } });
  };
  return { forge, runnerId, session: sessionCredential?.token ?? '', secret: runnerSecret, beat };
}

describe('a session credential', () => {
  it('lasts a quarter of an hour, and is renewed by heartbeats before that', async () => {
    const { forge, session, beat } = await enrolled();
    expect((await beat(session)).body).not.toHaveProperty('sessionCredential');
    forge.clock.advance(6 * 60_000);
    let renewed: string | undefined;
    // It is signed after the first beat that asks for it.
    await expect
      .poll(async () => {
        const { sessionCredential } = (await beat(session)).body as { sessionCredential?: { token: string } };
        renewed = sessionCredential?.token;
        return renewed;
      })
      .toBeDefined();
    forge.clock.advance(10 * 60_000);
    expect(await codeOf(beat(session))).toEqual([401, 'SESSION_EXPIRED']);
    expect((await beat(renewed ?? '')).status).toBe(200);
  });

  it('ends with the token of a runner that has no secret of its own', async () => {
    const { forge, session, secret, beat } = await enrolled({ durable: false, lifetimeMs: 5 * 60_000 });
    expect(secret).toBe('');
    expect((await beat(session)).status).toBe(200);
    forge.clock.advance(5 * 60_000);
    expect((await beat(session)).status).toBe(401);
  });

  it('ends at once when what it rests on is revoked, and says so', async () => {
    const { forge, runnerId, session, secret, beat } = await enrolled();
    await forge.forge.operations.revokeRunner(runnerId);
    expect(await codeOf(beat(session))).toEqual([401, 'TOKEN_REVOKED']);
    expect(await codeOf(beat(secret))).toEqual([401, 'TOKEN_REVOKED']);
  });

  it('is nobody’s when a part of it was changed', async () => {
    const { session, beat } = await enrolled();
    const [header = '', payload = '', signature = ''] = session.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'another' })).toString('base64url');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    for (const text of [`${header}.${forged}.${signature}`, `${none}.${forged}.`])
      expect(await codeOf(beat(text))).toEqual([401, 'CREDENTIAL_INVALID']);
  });
});

describe('a runner secret', () => {
  it('is taken beside the one that came in its place, until the overlap is over', async () => {
    const { forge, runnerId, secret, beat } = await enrolled();
    const { runnerSecret } = await forge.forge.operations.rotateRunnerSecret(runnerId, { overlapMs: 60_000 });
    expect([(await beat(secret)).status, (await beat(runnerSecret)).status]).toEqual([200, 200]);
    forge.clock.advance(60_001);
    expect((await beat(secret)).status).toBe(401);
    expect((await beat(runnerSecret)).status).toBe(200);
  });
});

describe('what a runner proved itself with that is deleted', () => {
  const gone = async ({ forge, runnerId, secret, session, beat }: Enrolled): Promise<void> => {
    for (const as of [secret, session]) {
      expect(await codeOf(beat(as))).toEqual([401, 'CREDENTIAL_INVALID']);
      const body = (await stub()).registration({ name: 'another', machineId: 'another' });
      const again = forge.ask('POST', '/runners/register', { as, body });
      expect(await codeOf(again)).toEqual([401, 'CREDENTIAL_INVALID']);
    }
    const rotation = forge.forge.operations.rotateRunnerSecret(runnerId, { overlapMs: 1 });
    await expect(rotation).rejects.toMatchObject({ envelope: { code: 'RUNNER_NOT_FOUND' } });
    const again = forge.forge.operations.deleteRunner(runnerId, { force: 'true' });
    await expect(again).rejects.toMatchObject({ envelope: { code: 'RUNNER_NOT_FOUND' } });
  };

  it('goes with it', async () => {
    const runner = await enrolled();
    await runner.forge.forge.operations.deleteRunner(runner.runnerId, { force: 'true' });
    await gone(runner);
  });

  it('stays when it leaves by itself, and goes when it is deleted after that', async () => {
    const runner = await enrolled();
    const { operations } = runner.forge.forge;
    await operations.deregisterRunner(runner.runnerId, {});
    expect((await runner.beat(runner.secret)).body).toMatchObject({ known: false });
    await operations.deleteRunner(runner.runnerId, { force: 'true' });
    await gone(runner);
  });

  it('stays refused as revoked where it was', async () => {
    const { forge, runnerId, session } = await enrolled();
    await forge.forge.operations.revokeRunner(runnerId);
    await forge.forge.operations.deleteRunner(runnerId, { force: 'true' });
    expect((await forge.ask('POST', '/runners/heartbeat', { as: session, body: {} })).body.error?.code).toBe(
      'TOKEN_REVOKED',
    );
  });
});

describe('refused credentials', () => {
  it('are counted by what they claim to be: after ten in a minute that is not looked at', async () => {
    const forge = await test.guarded({
      auth: { adminToken: 'an-admin-token-of-this-test-0123456789' },
    });
    const { token } = await forge.token({ name: 'ci', kind: 'api', role: 'read' });
    const other = await forge.token({ name: 'other', kind: 'api', role: 'read' });
    const list = (as: string): ReturnType<GuardedForge['ask']> => forge.ask('GET', '/jobs', { as });
    // A secret of the right form that is nobody's.
    const guess = token.slice(0, -4) + (token.endsWith('AAAA') ? 'BBBB' : 'AAAA');
    for (let count = 0; count < 10; count += 1)
      expect(await codeOf(list(guess))).toEqual([401, 'CREDENTIAL_INVALID']);
    const limited = await list(token);
    expect([limited.status, limited.body.error?.code]).toEqual([429, 'AUTH_RATE_LIMITED']);
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await list(other.token)).status).toBe(200);
    forge.clock.advance(60_000);
    expect((await list(token)).status).toBe(200);
  });
});
