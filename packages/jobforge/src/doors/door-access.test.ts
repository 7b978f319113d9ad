import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPEN_GATE } from '../model/caller.js';
import { systemClock } from '../model/clock.js';
import { silentLog } from '../model/log.js';
import { openGuarded, type GuardedForge } from '../testing/guarded-forge.js';
import { DOOR_NAMES, type DoorEndpoint, type DoorName, type DoorParts } from './door.js';
import { openDoors } from './open-doors.js';

const test = openGuarded();
afterAll(test.close);

/** Whoever adds an endpoint says here, a second time, whose credential it takes. */
const ROWS: Readonly<Record<string, DoorEndpoint['auth']>> = {
  'swarmlet POST /api/runners/register': 'enroll',
  'automn POST /api/settings/runner-hosts/:id/register': 'enroll',
  'quarterback POST /register': 'enroll',
  'quarterback GET /tasks/pending': 'runner',
  'quarterback POST /nodes/heartbeat': 'runner',
  'quarterback POST /status': 'runner',
  'quarterback POST /logs': 'runner',
  'quarterback POST /quarterback/register': 'enroll',
  'quarterback GET /quarterback/tasks/pending': 'runner',
  'quarterback POST /quarterback/nodes/heartbeat': 'runner',
  'quarterback POST /quarterback/status': 'runner',
  'quarterback POST /quarterback/logs': 'runner',
  'quarterback GET /quarterback/files/:name': 'runner',
  'swamp POST /data/resource': 'runner',
  'swamp POST /data/writers': 'runner',
  'swamp POST /data/writers/:id/line': 'runner',
  'swamp POST /data/writers/:id/content': 'runner',
  'swamp POST /data/writers/:id/finalize': 'runner',
  'swamp GET /bundle/:fingerprint': 'runner',
};

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/** How a credential is carried at each door. */
const CARRIED: Readonly<Record<DoorName, (credential: string) => Sent>> = {
  swarmlet: (enroll_token) => ({ body: { enroll_token, name: 'x' } }),
  automn: (secret) => ({ body: { secret, endpoint: 'http://127.0.0.1:1/api/run' } }),
  quarterback: (credential) => ({
    headers: { 'x-registration-token': credential, 'x-api-key': credential },
    body: { hostname: 'x', os_type: 'linux' },
  }),
  swamp: (credential) => ({
    headers: { authorization: `Bearer ${credential}` },
    body: { specName: 'x', name: 'x' },
  }),
};

const { endpoints = [] } =
  openDoors(DOOR_NAMES, {
    // None of them is asked: what is served is to be known, and nothing more.
    operations: {} as DoorParts['operations'],
    ...{ gate: OPEN_GATE, clock: systemClock, log: silentLog },
  }) ?? {};

it('has a row for every endpoint', () => {
  const served = endpoints.map(({ door, method, path, auth }) => [`${door} ${method} ${path}`, auth]);
  expect(ROWS).toEqual(Object.fromEntries(served));
});

describe('who has no credential for it', () => {
  let guarded: GuardedForge;
  const credentials = new Map<string, string>([
    ['none', ''],
    ['garbage', 'nobody-handed-this-out'],
    ['a long text', 'x'.repeat(6_000)],
  ]);
  beforeAll(async () => {
    guarded = await test.guarded({ accept: DOOR_NAMES });
    const { token, clock, forge } = guarded;
    const made = async (name: string, request: object): Promise<void> =>
      void credentials.set(name, (await token({ name: name.replaceAll(' ', '-'), ...request })).token);
    await made('an expired token', { kind: 'enrollment', lifetimeMs: 1 });
    clock.advance(10);
    await made('a revoked token', { kind: 'enrollment' });
    await forge.operations.revokeToken('a-revoked-token');
    await made('an admin', { kind: 'api', role: 'admin' });
    await made('a reader', { kind: 'api', role: 'read' });
    const good = (await token({ kind: 'enrollment', name: 'good' })).token;
    credentials.set('a wrong secret', `${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}`);
  });

  it.each(endpoints.map((endpoint) => [`${endpoint.door} ${endpoint.method} ${endpoint.path}`, endpoint]))(
    'is refused: %s',
    async (_name, { door, method, path }) => {
      for (const [name, credential] of credentials) {
        const { headers, body } = CARRIED[door](credential);
        const response = await fetch(`${guarded.url}${path.replace(/:\w+/, 'nobody')}`, {
          method,
          headers: { 'content-type': 'application/json', ...headers },
          ...(method === 'GET' ? {} : { body: JSON.stringify(body) }),
        });
        const said = await response.text();
        expect({ name, isRefused: [400, 401, 403].includes(response.status) }).toEqual({
          ...{ name, isRefused: true },
        });
        // No secret is said back.
        if (credential.length > 10) expect(said).not.toContain(credential);
      }
      expect(await guarded.forge.operations.listRunners()).toEqual([]);
    },
  );

  it('has its failures counted, and is made to wait', async () => {
    const { url } = await test.guarded({
      accept: DOOR_NAMES,
      auth: { adminToken: 'an-admin-token-of-enough-characters', maxFailuresPerMinute: 2 },
    });
    const statuses: number[] = [];
    for (let tries = 0; tries < 3; tries += 1) {
      const response = await fetch(`${url}/api/runners/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ enroll_token: 'fleet.jfe_wrong' }),
      });
      statuses.push(response.status);
    }
    expect(statuses).toEqual([400, 400, 429]);
  });
});
