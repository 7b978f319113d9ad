import { afterAll, expect, it } from 'vitest';
import { openForges } from '../testing/open-forge.js';
import { DOOR_NAMES } from './door.js';
import { dialDoor } from './foreign-client.fixture.js';

// Where nobody is asked for a credential, as with `jobforge dev`, a runner is who it says.

const test = openForges();
afterAll(test.close);

async function post(url: string, body: object, headers: object = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers } as Record<string, string>,
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

it('each door lets in whoever comes, with whatever secret it has', async () => {
  const forge = await test.forge({ listen: { port: 0 }, accept: DOOR_NAMES });
  const url = forge.url ?? '';
  const metadata = { hostname: 'cellar', platform: 'linux', arch: 'x64', runner_version: '0.3.0' };
  const swarmlet = await dialDoor(url, '/api/runners/ws');
  swarmlet.send({ type: 'hello', runner_id: null, runner_name: 'one', secret: 'any', metadata });
  const swamp = await dialDoor(url, '/anywhere');
  const enrollment = {
    ...{ token: 'two.any', instanceUuid: 'i', machineId: 'm', protocolVersion: 4, swampVersion: '1' },
    ...{ platform: 'linux', arch: 'x86_64' },
  };
  swamp.send({ type: 'rpc.request', id: 'a', method: 'worker.enroll', params: enrollment });
  expect(await swamp.next()).toMatchObject({ type: 'rpc.response', id: 'a' });
  const automn = { secret: 'a-secret-of-any-kind', endpoint: 'http://127.0.0.1:9/api/run' };
  expect((await post(`${url}/api/settings/runner-hosts/three/register`, automn)).status).toBe(200);
  const quarterback = await post(`${url}/register`, { hostname: 'four', os_type: 'linux' });
  const { id: node_id = '', api_key = '' } = quarterback.body;
  const beat = { node_id, status: 'idle', current_task_id: null };
  expect((await post(`${url}/nodes/heartbeat`, beat, { 'x-api-key': api_key })).status).toBe(200);
  const online = async (): Promise<string[]> =>
    (await forge.operations.listRunners())
      .filter(({ status }) => status === 'healthy')
      .map(({ name }) => name.replace(/-.*/, ''))
      .toSorted();
  await expect.poll(online, { timeout: 15_000 }).toEqual(['four', 'one', 'three', 'two']);

  const job = await forge.submit({
    ...{ capability: 'shell.full', input: { command: 'ls' } },
    placement: { runner: 'one' },
  });
  expect(await swarmlet.next()).toMatchObject({ type: 'exec_request', command: 'ls' });
  await job.cancel();
  swarmlet.hangUp();
  swamp.hangUp();
});

it('a key of a Quarterback that names nobody is of nobody', async () => {
  const forge = await test.forge({ listen: { port: 0 }, accept: ['quarterback'] });
  const response = await fetch(`${forge.url}/tasks/pending`, { headers: { 'x-api-key': 'nobody.open' } });
  expect(response.status).toBe(401);
});
