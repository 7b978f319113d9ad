import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Endpoint,
  endpointPath,
  ENDPOINTS,
  ErrorEnvelope,
  type EndpointName,
} from '@controlplane/contracts';
import { followJob, post } from './client.js';
import { endProcesses, startJobForge, startRunner } from './processes.js';

const FIVE_MEGABYTES = 5 * 1024 * 1024;
const names = Object.keys(ENDPOINTS) as EndpointName[];
const rows = names.map((name): readonly [EndpointName, Endpoint] => [name, ENDPOINTS[name]]);
const taking = rows.filter(([, endpoint]) => endpoint.request !== undefined);

const NO_SUCH_HASH = '0'.repeat(64);
const params = { id: 'no-such-id', executionId: 'no-such-id', name: 'no-such-name', sha256: NO_SUCH_HASH };

const urls = { jobforge: '', runner: '' };
const urlOf = (name: EndpointName): string => urls[ENDPOINTS[name].server] + endpointPath(name, params);

async function expectRefusal(response: Response): Promise<ErrorEnvelope> {
  const body: unknown = await response.json();
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(response.status).toBeLessThan(500);
  expect(body).toMatchObject({ success: false });
  return ErrorEnvelope.parse((body as { error: unknown }).error);
}

const send = (name: EndpointName, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(urlOf(name), {
    method: ENDPOINTS[name].method,
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });

beforeAll(async () => {
  const forge = await startJobForge();
  urls.jobforge = forge.url;
  const runner = await startRunner('steps.mjs', { JOBFORGE_URL: forge.url });
  const listed = (await (await fetch(`${forge.url}/runners`)).json()) as { healthCheckEndpoint: string }[];
  expect(runner.exitCode).toBeNull();
  urls.runner = listed[0]?.healthCheckEndpoint.replace(/\/health$/, '') ?? '';
});

afterAll(async () => {
  await post(`${urls.jobforge}/jobs`, {
    id: 'after-all-that',
    type: 'x',
    payload: { type: 'steps.run', data: {} },
  });
  expect((await followJob(urls.jobforge, 'after-all-that')).at(-1)?.type).toBe('job.completed');
  await endProcesses();
});

/** A runner that has a signing key reads nothing that is not signed. */
const isSigned = (name: string): boolean => name === 'execute' || name === 'cancelExecution';
const refusalOf = (name: string, code: string): string => (isSigned(name) ? 'SIGNATURE_INVALID' : code);

/** What names something that must be there: a secret is made by its name, a file by its hash, and what is not signed names nothing. */
const MADE_BY_NAME: ReadonlySet<string> = new Set(['setSecret', 'putFile']);
const withId = rows.filter(
  ([name, { path }]) => path.includes(':') && !MADE_BY_NAME.has(name) && !isSigned(name),
);

/** Whether a body that says nothing of what is asked for says nothing wrong. */
const demandsNothing = ({ path, request }: Endpoint): boolean =>
  !path.includes(':') && request?.safeParse({}).success === true;

describe.each(taking)('%s', (name, endpoint) => {
  const expectAnswer = async (response: Response): Promise<void> => {
    if (demandsNothing(endpoint)) expect(response.ok).toBe(true);
    else await expectRefusal(response);
  };

  it('refuses what is not JSON', async () => {
    expect((await expectRefusal(await send(name, '{"id": '))).code).toBe(refusalOf(name, 'INVALID_JSON'));
  });

  it('refuses an empty body where it demands anything', async () => {
    await expectAnswer(await send(name, ''));
  });

  it.each([
    '[]',
    '1',
    '"text"',
    'null',
    '{"id":[],"jobId":7,"runnerId":{},"name":1,"jobs":3,"reason":1,"instanceId":9,"leaseToken":5,"limit":"x","overlapMs":"x"}',
  ])('refuses the types of %s', async (body) => {
    expect((await expectRefusal(await send(name, body))).code).toBe(refusalOf(name, 'VALIDATION_ERROR'));
  });

  it('refuses a body of 5 MB', async () => {
    const body = JSON.stringify({ filler: 'x'.repeat(FIVE_MEGABYTES) });
    expect((await expectRefusal(await send(name, body))).code).toBe('PAYLOAD_TOO_LARGE');
  });

  it('refuses another content-type', async () => {
    const response = await send(name, 'a,b', { 'content-type': 'text/csv' });
    expect((await expectRefusal(response)).code).toBe('UNSUPPORTED_MEDIA_TYPE');
  });

  it('tolerates no prototype tricks', async () => {
    await expectAnswer(
      await send(name, '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
    );
    expect(Object.prototype).not.toHaveProperty('polluted');
  });
});

/** What says nothing wrong but for its id. */
const A_RECORD = JSON.stringify({
  events: [{ type: 'accepted', executionId: 'no-such-id', seq: 0, at: '2026-01-01T00:00:00.000Z' }],
});

describe.each(withId)('%s', (name, { method }) => {
  it('answers an unknown id with 404', async () => {
    const text = name === 'recordEvents' ? A_RECORD : '{}';
    const body = method === 'POST' ? { body: text, headers: { 'content-type': 'application/json' } } : {};
    const response = await fetch(urlOf(name), { method, ...body });
    expect(response.status).toBe(404);
    expect((await expectRefusal(response)).code).toMatch(/_NOT_FOUND$/);
  });

  it('survives an id that cannot be decoded', async () => {
    const response = await fetch(urlOf(name).replace(/no-such-id|0{64}/, '%E0%A4%A'), { method });
    await expectRefusal(response);
  });
});

describe.each(rows)('%s', (name, endpoint) => {
  it('answers another method with 405 and says which are allowed', async () => {
    const response = await fetch(urlOf(name), { method: 'PATCH' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toContain(endpoint.method);
    await expectRefusal(response);
  });
});

describe.each(['jobforge', 'runner'] as const)('%s', (server) => {
  it('answers an unknown path with 404', async () => {
    const response = await fetch(`${urls[server]}/no/such/path`);
    expect((await expectRefusal(response)).code).toBe('ROUTE_NOT_FOUND');
  });
});
