import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TokenCreation } from '@controlplane/contracts';
import type { JobForge } from '../control-plane.js';
import type { JobForgeOptions } from '../options.js';
import { openDialIns } from '../testing/dial-in-forge.js';
import { dialInRegistration, type DialInRunner } from '../testing/dial-in-runner.js';
import { ADMIN_TOKEN } from '../testing/guarded-forge.js';
import { missingPostgres, startPostgres, type PostgresCluster } from '../testing/postgres-cluster.js';

type Listening = JobForge & { readonly url: string };

interface Answered {
  readonly status: number;
  readonly body: Record<string, unknown> & { readonly error?: { readonly code: string } };
}

/** A runner as it was told what it is. */
interface Enrolled {
  readonly runnerId: string;
  readonly sessionCredential: { readonly token: string };
  readonly runnerSecret: string;
}

const codeOf = ({ body }: Answered): string | undefined => body.error?.code;

describe.skipIf(missingPostgres() !== undefined)(
  'who may do what, at two JobForges over one database',
  () => {
    let cluster: PostgresCluster;
    const test = openDialIns();
    beforeAll(async () => {
      cluster = await startPostgres();
    }, 30_000);
    afterEach(test.close);
    afterAll(() => cluster.stop());

    const pair = async (limits: JobForgeOptions['limits'] = {}): Promise<[Listening, Listening]> => {
      const options: JobForgeOptions = {
        store: cluster.newUrl(),
        auth: { adminToken: ADMIN_TOKEN },
        limits: { replicaBeatMs: 50, ...limits },
      };
      const one = await test.listening(options);
      const other = await test.listening(options);
      return [one, other];
    };

    const ask = async (
      { url }: Listening,
      path: string,
      asked: { as: string; body?: object },
    ): Promise<Answered> => {
      const { as, body } = asked;
      const response = await fetch(url + path, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: (await response.json()) as Answered['body'] };
    };
    const token = async ({ operations }: Listening, request: object): Promise<string> =>
      (await operations.createToken(TokenCreation.parse(request))).token;
    const registration = (name: string, overrides: object = {}): object =>
      dialInRegistration({ name, machineId: `machine-of-${name}`, instanceId: name, ...overrides });
    const polling = { delivery: { kind: 'long-poll' } };
    const enrol = async (at: Listening, name: string): Promise<Enrolled> => {
      const as = await token(at, { kind: 'enrollment', name: `for-${name}`, durable: true });
      const { status, body } = await ask(at, '/runners/register', { as, body: registration(name, polling) });
      expect(status).toBe(200);
      return body as unknown as Enrolled;
    };
    const beat = (at: Listening, as: string, runnerId: string): Promise<Answered> =>
      ask(at, '/runners/heartbeat', {
        as,
        body: { runnerId, status: 'healthy', timestamp: new Date().toISOString() },
      });
    /** A runner that has dialled with a credential. */
    const dialled = async (at: Listening, name: string): Promise<DialInRunner & { runnerId: string }> => {
      const as = await token(at, { kind: 'enrollment', name: `dial-${name}` });
      const runner = await test.socket(at.url, { headers: { authorization: `Bearer ${as}` } });
      runner.send({ type: 'register', registration: registration(name) });
      const { registration: welcome } = await runner.next('ready');
      return { ...runner, runnerId: welcome?.runnerId ?? '' };
    };

    it('a token of one counts at the other at once, and is revoked there at once', async () => {
      // No beat comes in between.
      const [one, other] = await pair({ replicaBeatMs: 60_000, replicaLostMs: 600_000 });
      const as = await token(one, { kind: 'api', name: 'ci', role: 'read' });
      expect((await ask(other, '/jobs', { as })).status).toBe(200);
      await other.operations.revokeToken('ci');
      expect(codeOf(await ask(one, '/jobs', { as }))).toBe('TOKEN_REVOKED');
      expect(codeOf(await ask(other, '/jobs', { as }))).toBe('TOKEN_REVOKED');
    });

    it('a runner that is revoked at one is refused at the other, and one whose secret is rotated', async () => {
      const [one, other] = await pair();
      const revoked = await enrol(one, 'revoked');
      const rotated = await enrol(one, 'rotated');
      await expect
        .poll(async () => (await beat(other, rotated.runnerSecret, rotated.runnerId)).body['known'])
        .toBe(true);
      await one.operations.revokeRunner(revoked.runnerId);
      expect(codeOf(await beat(other, revoked.runnerSecret, revoked.runnerId))).toBe('TOKEN_REVOKED');
      await one.operations.rotateRunnerSecret(rotated.runnerId, { overlapMs: 0 });
      expect(codeOf(await beat(other, rotated.runnerSecret, rotated.runnerId))).toBe('CREDENTIAL_INVALID');
    });

    it('a runner that came to one that is gone comes back at the other with what it was given', async () => {
      const [one, other] = await pair({ replicaBeatMs: 400 });
      const { runnerId, runnerSecret } = await enrol(one, 'moving');
      await one.stop({ drainMs: 0 });
      const body = registration('moving', polling);
      const back = await ask(other, '/runners/register', { as: runnerSecret, body });
      expect(back).toMatchObject({ status: 200, body: { runnerId } });
    });

    it('a runner that has left is deleted at either, with what it proved itself with', async () => {
      const [one, other] = await pair();
      const { runnerId, runnerSecret, sessionCredential } = await enrol(one, 'leaving');
      const stays = await enrol(one, 'stays');
      await expect.poll(async () => (await other.operations.listRunners()).length).toBe(2);
      await one.operations.deregisterRunner(runnerId, {});
      await expect
        .poll(async () => (await other.operations.listRunners()).map(({ id }) => id), { timeout: 15_000 })
        .toEqual([stays.runnerId]);
      await other.operations.deleteRunner(runnerId, { force: 'true' });
      for (const as of [runnerSecret, sessionCredential.token])
        expect(codeOf(await beat(one, as, runnerId))).toBe('CREDENTIAL_INVALID');
      expect((await beat(one, stays.runnerSecret, stays.runnerId)).status).toBe(200);
    });

    it('a runner beats through either for itself and for no other', async () => {
      const [one, other] = await pair();
      const mine = await enrol(one, 'mine');
      const theirs = await enrol(other, 'theirs');
      await expect.poll(async () => (await one.operations.listRunners()).length).toBe(2);
      await expect.poll(async () => (await other.operations.listRunners()).length).toBe(2);
      expect((await beat(other, mine.runnerSecret, mine.runnerId)).body).toMatchObject({ known: true });
      const stolen = await beat(one, mine.sessionCredential.token, theirs.runnerId);
      expect(codeOf(stolen)).toBe('RUNNER_MISMATCH');
      expect(stolen.body).not.toHaveProperty('sessionCredential');
    });

    it('a runner that names itself otherwise is known by its secret at either', async () => {
      const [one, other] = await pair();
      const { runnerId, runnerSecret } = await enrol(one, 'guide');
      await expect.poll(async () => (await other.operations.listRunners()).length).toBe(1);
      expect((await beat(other, runnerSecret, 'my-own-name')).body).toMatchObject({ known: true });
      expect((await one.operations.showRunner(runnerId)).status).toBe('healthy');
    });

    it('nobody takes a runner from the other without having proved to be it', async () => {
      const [one, other] = await pair();
      const victim = await dialled(one, 'victim');
      const thief = await enrol(other, 'thief');
      const body = registration('victim', polling);
      const refused = await ask(other, '/runners/register', { as: thief.runnerSecret, body });
      expect(codeOf(refused)).toBe('MACHINE_MISMATCH');
      // It has its connection still, and is offered what comes.
      const job = await one.submit({ capability: 'echo', input: { text: 'hi' } });
      const offered = await victim.offer();
      expect(offered.jobId).toBe(job.id);
    });

    it('a runner that was renamed is taken from the other by its secret', async () => {
      const [one, other] = await pair();
      const { runnerId, runnerSecret } = await enrol(one, 'before');
      const body = { ...registration('after', polling), machineId: 'machine-of-before' };
      const back = await ask(other, '/runners/register', { as: runnerSecret, body });
      expect(back).toMatchObject({ status: 200, body: { runnerId } });
      await expect
        .poll(async () => (await one.operations.listRunners()).map(({ name }) => name))
        .toEqual(['after']);
      expect((await other.operations.listRunners()).map(({ name }) => name)).toEqual(['after']);
    });
  },
);
