import { request as httpRequest } from 'node:http';
import {
  ENDPOINTS,
  httpStatusOf,
  type Endpoint,
  type EndpointAuth,
  type ErrorCode,
} from '@controlplane/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_TOKEN, HOUR_MS, openGuarded, type GuardedForge } from '../testing/guarded-forge.js';
import { SERVED_NAMES, type ServedName } from './served-endpoints.js';

const test = openGuarded();
afterAll(test.close);

/** Whoever adds an endpoint says here, a second time, who may ask it. */
const ROWS: Readonly<Record<ServedName, EndpointAuth>> = {
  registerRunner: 'enroll',
  heartbeat: 'runner',
  deregisterRunner: 'runner',
  connectRunner: 'enroll',
  pollRunner: 'runner',
  acceptExecution: 'runner',
  recordEvents: 'runner',
  listRunners: 'read',
  showRunner: 'read',
  listCapabilities: 'read',
  drainRunner: 'admin',
  disableRunner: 'admin',
  enableRunner: 'admin',
  verifyRunner: 'admin',
  deleteRunner: 'admin',
  submitJob: 'submit',
  submitJobs: 'submit',
  listJobs: 'read',
  showJob: 'read',
  whyJob: 'read',
  cancelJob: 'submit',
  retryJob: 'submit',
  retryJobs: 'submit',
  jobEvents: 'read',
  jobLogs: 'read',
  putArtifact: 'runner',
  listArtifacts: 'read',
  getArtifact: 'read',
  putFile: 'submit',
  getFile: 'any',
  putResult: 'runner',
  listSecrets: 'admin',
  setSecret: 'admin',
  deleteSecret: 'admin',
  createWebhook: 'admin',
  listWebhooks: 'admin',
  webhookKey: 'admin',
  deleteWebhook: 'admin',
  queryTruth: 'read',
  listAudit: 'admin',
  verifyChains: 'admin',
  whoAmI: 'any',
  createToken: 'admin',
  listTokens: 'admin',
  revokeToken: 'admin',
  revokeRunner: 'admin',
  rotateRunnerSecret: 'admin',
  jobForgeHealth: 'none',
  jobForgeLive: 'none',
  jobForgeReady: 'none',
  metrics: 'read',
  openApi: 'none',
  asyncApi: 'none',
};

/** One credential of each kind, and the refusal that it meets wherever any credential is asked for. */
const REFUSED = {
  none: 'CREDENTIAL_MISSING',
  garbage: 'CREDENTIAL_INVALID',
  wrongSecret: 'CREDENTIAL_INVALID',
  forgedSession: 'CREDENTIAL_INVALID',
  expiredApi: 'TOKEN_EXPIRED',
  revokedApi: 'TOKEN_REVOKED',
  expiredEnrollment: 'TOKEN_EXPIRED',
  revokedEnrollment: 'TOKEN_REVOKED',
  expiredSession: 'SESSION_EXPIRED',
  revokedRunner: 'TOKEN_REVOKED',
  revokedRunnerSession: 'TOKEN_REVOKED',
  replacedSecret: 'CREDENTIAL_INVALID',
} as const satisfies Record<string, ErrorCode>;

/** Credentials that are good, and the auth that they are good for. `own` and `other` tell whose runner is asked about. */
const GOOD = {
  read: ['read', 'any'],
  submit: ['read', 'submit', 'any'],
  admin: ['read', 'submit', 'admin', 'any'],
  adminFromOptions: ['read', 'submit', 'admin', 'any'],
  enrollment: ['enroll', 'runner', 'any'],
  ownSecret: ['enroll', 'runner', 'any'],
  ownSession: ['enroll', 'runner', 'any'],
  otherSecret: ['enroll', 'any'],
  otherSession: ['enroll', 'any'],
  otherEnrollment: ['enroll', 'any'],
} as const satisfies Record<string, readonly EndpointAuth[]>;

type Credential = keyof typeof REFUSED | keyof typeof GOOD;
const OF_ANOTHER: ReadonlySet<Credential> = new Set(['otherSecret', 'otherSession', 'otherEnrollment']);

interface World extends GuardedForge {
  readonly credentials: Readonly<Record<Credential, string | undefined>>;
  /** What stands for `:id`, by the first part of the path. */
  readonly ids: Readonly<Record<string, string>>;
  readonly runnerId: string;
}

const api = { kind: 'api', role: 'admin' } as const;
const enrollment = { kind: 'enrollment' } as const;

/** A JobForge with a runner that runs something, another one, and one credential of each kind. */
async function world(): Promise<World> {
  const guarded = await test.guarded();
  const { token, enroll, forge, clock } = guarded;
  const runner = await test.runner({ form: 'batch', handle: ({ accept }) => accept() });
  const tokenOf = async (request: { readonly name: string } & Record<string, unknown>): Promise<string> =>
    (await token(request)).token;
  const expiredApi = await tokenOf({ ...api, name: 'old', lifetimeMs: 1 });
  const expiredEnrollment = await tokenOf({ ...enrollment, name: 'old-farm', lifetimeMs: 1 });
  const revokedApi = await tokenOf({ ...api, name: 'gone' });
  const revokedEnrollment = await tokenOf({ ...enrollment, name: 'gone-farm' });
  for (const name of ['gone', 'gone-farm']) await forge.operations.revokeToken(name);
  const farm = await tokenOf({ ...enrollment, name: 'farm', lifetimeMs: 24 * HOUR_MS, maxMachines: 3 });
  const otherFarm = await tokenOf({
    ...enrollment,
    name: 'other-farm',
    lifetimeMs: 24 * HOUR_MS,
    maxMachines: 9,
  });
  const on = (machineId: string): Record<string, unknown> => ({ name: machineId, machineId });
  const expired = (await enroll(runner, farm, on('own'))).body.sessionCredential?.token;
  clock.advance(HOUR_MS);
  const own = (await enroll(runner, farm, on('own'))).body;
  const other = (await enroll(runner, otherFarm, on('other'))).body;
  const revoked = (await enroll(runner, farm, on('revoked'))).body;
  await forge.operations.revokeRunner(revoked.runnerId);
  const replaced = (await enroll(runner, otherFarm, on('replaced'))).body;
  await forge.operations.rotateRunnerSecret(replaced.runnerId, { overlapMs: 0 });
  // Only one of them can take it, so that it is known which.
  await forge.operations.disableRunner(other.runnerId, {});
  await forge.operations.disableRunner(replaced.runnerId, {});
  const job = await forge.submit({ capability: 'echo', input: {} });
  const { request } = await runner.execution(0);
  return {
    ...guarded,
    runnerId: own.runnerId,
    ids: { runners: own.runnerId, jobs: job.id, executions: request.executionId, tokens: 'farm' },
    credentials: {
      none: undefined,
      garbage: 'nobody-handed-this-out',
      wrongSecret: `${farm.slice(0, -1)}${farm.endsWith('A') ? 'B' : 'A'}`,
      forgedSession: `${own.sessionCredential?.token.slice(0, -4)}AAAA`,
      ...{ expiredApi, revokedApi, expiredEnrollment, revokedEnrollment, expiredSession: expired },
      revokedRunner: revoked.runnerSecret,
      revokedRunnerSession: revoked.sessionCredential?.token,
      replacedSecret: replaced.runnerSecret,
      read: await tokenOf({ ...api, name: 'reader', role: 'read' }),
      submit: await tokenOf({ ...api, name: 'submitter', role: 'submit' }),
      admin: await tokenOf({ ...api, name: 'admin' }),
      adminFromOptions: ADMIN_TOKEN,
      enrollment: farm,
      ownSecret: own.runnerSecret,
      ownSession: own.sessionCredential?.token,
      otherSecret: other.runnerSecret,
      otherSession: other.sessionCredential?.token,
      otherEnrollment: otherFarm,
    },
  };
}

interface Reply {
  readonly status: number;
  readonly code: string | undefined;
}

function dial({ url }: World, credential: string | undefined): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${url}/runners/connect`, {
      headers: {
        ...{ connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' },
        'sec-websocket-key': Buffer.alloc(16).toString('base64'),
        'sec-websocket-protocol': 'controlplane.v1',
        ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
      },
    });
    request.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve({ status: 101, code: undefined });
    });
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const { error } = JSON.parse(Buffer.concat(chunks).toString()) as { error?: { code: string } };
        resolve({ status: response.statusCode ?? 0, code: error?.code });
      });
    });
    request.on('error', reject);
    request.end();
  });
}

/** What is sent: enough for the endpoint to find out whom it is about. */
function bodyFor(name: ServedName, runnerId: string): unknown {
  const { request }: Endpoint = ENDPOINTS[name];
  if (name === 'heartbeat') return { runnerId, timestamp: '2026-01-01T00:00:00Z', status: 'healthy' };
  return request === undefined ? undefined : {};
}

/** Whoever is let in leaves what is there as it is: it asks about what nobody has, unless it must be its own. */
function targetOf(of: World, { path, auth }: Endpoint, isLetIn: boolean): string {
  const [, first = ''] = path.split('/');
  const known = isLetIn && auth !== 'runner' ? undefined : of.ids[first];
  return path.replace(/:\w+/g, known ?? 'nobody');
}

async function asked(of: World, name: ServedName, credential: Credential): Promise<Reply> {
  const as = of.credentials[credential];
  if (name === 'connectRunner') return dial(of, as);
  const endpoint: Endpoint = ENDPOINTS[name];
  const { method, auth } = endpoint;
  const target = targetOf(of, endpoint, refusalOf(auth, credential) === undefined);
  const reply = await of.ask(method, target, { as, body: bodyFor(name, of.runnerId) });
  return { status: reply.status, code: reply.body.error?.code };
}

function refusalOf(auth: EndpointAuth, credential: Credential): ErrorCode | undefined {
  if (auth === 'none') return undefined;
  if (credential in REFUSED) return REFUSED[credential as keyof typeof REFUSED];
  const good: readonly EndpointAuth[] = GOOD[credential as keyof typeof GOOD];
  if (good.includes(auth)) return undefined;
  return auth === 'runner' && OF_ANOTHER.has(credential) ? 'RUNNER_MISMATCH' : 'ROLE_REQUIRED';
}

const ALL = [...Object.keys(REFUSED), ...Object.keys(GOOD)] as Credential[];

it('has a row for every endpoint', () => {
  const inTable = Object.fromEntries(SERVED_NAMES.map((name) => [name, (ENDPOINTS[name] as Endpoint).auth]));
  expect(ROWS).toEqual(inTable);
});

let shared: World;
beforeAll(async () => {
  shared = await world();
});

describe.each(SERVED_NAMES)('%s', (name) => {
  const { auth }: Endpoint = ENDPOINTS[name];
  // What is refused first: what is let in may change what the others are asked about.
  const order = ALL.toSorted(
    (left, right) =>
      Number(refusalOf(auth, left) === undefined) - Number(refusalOf(auth, right) === undefined),
  );

  it('lets in whom it is for, and refuses everybody else with the reason', async () => {
    // A runner that has left is nobody's any more.
    const of = name === 'deregisterRunner' ? await world() : shared;
    for (const credential of order) {
      const wanted = refusalOf(auth, credential);
      const { status, code } = await asked(of, name, credential);
      if (wanted !== undefined)
        expect({ credential, status, code }).toEqual({
          credential,
          status: httpStatusOf(wanted),
          code: wanted,
        });
      else
        expect({ credential, isLetIn: status !== 401 && status !== 403 }).toEqual({
          credential,
          isLetIn: true,
        });
    }
  });
});
