import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { afterAll, expect, it, vi } from 'vitest';
import { CallerGone } from '../api/body-reader.js';
import { OPEN_GATE } from '../model/caller.js';
import { systemClock } from '../model/clock.js';
import { ADMIN_TOKEN, openGuarded } from '../testing/guarded-forge.js';
import type { DoorParts } from './door.js';
import { openDoors } from './open-doors.js';

const test = openGuarded();
afterAll(test.close);

const SWARMLET = '/api/runners/register';
const AUTOMN = '/api/settings/runner-hosts/one/register';

it.each([SWARMLET, AUTOMN])('%s takes no large body of whoever has proved nothing', async (path) => {
  const { ask } = await test.guarded({ accept: ['swarmlet', 'automn'] });
  const { status } = await ask('POST', path, { body: { name: 'x'.repeat(70_000) } });
  expect(status).toBe(413);
});

it('who is to try later is told when', async () => {
  const auth = { adminToken: ADMIN_TOKEN, maxFailuresPerMinute: 1 };
  const { ask } = await test.guarded({ accept: ['swarmlet'], auth });
  const body = { enroll_token: 'mine', name: 'x' };
  const first = await ask('POST', SWARMLET, { body });
  const second = await ask('POST', SWARMLET, { body });
  expect([first.status, second.status]).toEqual([400, 429]);
  expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0);
});

it('who hangs up within a body is nobody to answer, and nothing to log', async () => {
  const log = vi.fn<DoorParts['log']>();
  const parts = { operations: {} as DoorParts['operations'], gate: OPEN_GATE, clock: systemClock, log };
  const request = Object.assign(new PassThrough(), {
    ...{ method: 'POST', url: SWARMLET, complete: false },
    headers: { 'content-type': 'application/json', 'content-length': '100' },
    socket: { remoteAddress: '127.0.0.1' },
  });
  const answer = openDoors(['swarmlet'], parts)?.answer(request as unknown as IncomingMessage);
  request.write('{');
  request.destroy();
  await expect(answer).rejects.toBeInstanceOf(CallerGone);
  expect(log).not.toHaveBeenCalled();
});
