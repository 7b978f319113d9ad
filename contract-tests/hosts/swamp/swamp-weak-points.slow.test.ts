import { expect, onTestFinished, test, vi } from 'vitest';
import { runs, uniqueSeconds } from '../process-table.js';
import { serve, startHost } from './served.js';

// What swamp's own runner got wrong and this one mends, one test each.

test('a dispatch that is cancelled says so, and ends with everything that it has started', async () => {
  const host = await startHost();
  await serve(host);
  const seconds = uniqueSeconds();
  const dispatch = host.dispatch(
    `trap '' TERM; echo on; sh -c "trap '' TERM; sleep ${seconds}" & wait; wait`,
  );
  await host.line(dispatch);
  host.cancel(dispatch);
  expect((await host.ended(dispatch)).error?.code).toBe('cancelled');
  await expect.poll(() => runs(seconds), { timeout: 15_000 }).toBe(false);
});

test('a command is given no secret of the control plane, and none of the runner', async () => {
  const host = await startHost();
  vi.stubEnv('SWAMP_WORKER_TOKEN', 'fleet.s3cret');
  onTestFinished(() => void vi.unstubAllEnvs());
  await serve(host);
  const environmentSnapshot = {
    DEPLOY_ENV: 'prod',
    AWS_SECRET_ACCESS_KEY: 'aws',
    AWS_ACCESS_KEY_ID: 'id',
    GITHUB_TOKEN: 'ghp',
    LD_PRELOAD: '/evil.so',
    PATH: '/nowhere',
    SWAMP_SERVER_TOKEN: 'door',
  };
  const dispatch = await host.ended(host.dispatch('env', { more: { environmentSnapshot } }));
  const names = dispatch.lines.map((line) => /^stdout: (\w+)=/.exec(line)?.[1]);
  expect(names).toContain('DEPLOY_ENV');
  expect(names.filter((name) => /AWS|TOKEN|LD_|SWAMP/.test(name ?? ''))).toEqual([]);
  expect(dispatch.lines.join('\n')).not.toMatch(/s3cret|\/nowhere/);
});

test('secret values are hidden in what is printed and in what is kept', async () => {
  const host = await startHost();
  await serve(host);
  const dispatch = host.dispatch('echo it is hunter2-and-more', {
    more: { secretValues: ['hunter2-and-more'] },
  });
  await host.ended(dispatch);
  expect(dispatch.lines).toEqual(['stdout: it is [redacted]']);
  expect(host.plane.writes.map(({ body }) => body).join('\n')).not.toContain('hunter2');
});

test('output beyond the cap of the capability is an error that names it, not a success with a part', async () => {
  const host = await startHost();
  await serve(host);
  const dispatch = host.dispatch(`head -c 60000 /dev/zero | tr '\\0' x`);
  const { result } = await host.ended(dispatch);
  expect(result).toMatchObject({ status: 'error', error: expect.stringContaining('maxOutputBytes') });
  expect(host.plane.writes).toEqual([]);
});

test('the credential is not sent to another host that a dispatch names', async () => {
  const host = await startHost();
  const other = await startHost();
  await serve(host);
  const dataPlaneUrl = other.url.replace('ws', 'http');
  const { result } = await host.ended(host.dispatch('true', { more: { dataPlaneUrl } }));
  expect(result?.error).toMatch(/another origin/);
  expect(other.plane.writes).toEqual([]);
});

test('a result that cannot be written is an error that says so, not a success', async () => {
  const host = await startHost();
  await serve(host);
  host.behaviour.writes = 'refused';
  const { result } = await host.ended(host.dispatch('true'));
  expect(result?.error).toMatch(
    /ended with 0, but its result could not be written: data\/resource was answered 500/,
  );
});

test('a result that is being written when the connection is lost is written no further', async () => {
  const host = await startHost();
  await serve(host);
  host.behaviour.writes = 'held';
  host.dispatch('true');
  await host.plane.held.first(() => true);
  host.drop();
  await host.plane.givenUp.first((path) => path === '/data/resource');
});

test('what runs when the connection is lost is given up, and the same dispatch is run anew', async () => {
  const host = await startHost();
  await serve(host);
  const seconds = uniqueSeconds();
  const lost = host.dispatch(`echo on; sleep ${seconds}`, { id: 'd-1' });
  await host.line(lost);
  host.drop();
  await expect.poll(() => runs(seconds), { timeout: 15_000 }).toBe(false);
  await host.enrollments.count(() => true, 2);
  const again = await host.ended(host.dispatch('echo anew', { id: 'd-1' }));
  expect(again).toMatchObject({ lines: ['stdout: anew'], result: { status: 'success' } });
});

test('a dispatch that is sent twice is answered twice and run once', async () => {
  const host = await startHost();
  await serve(host);
  const first = await host.ended(host.dispatch('echo $$', { id: 'd-1' }));
  const second = await host.ended(host.dispatch('echo $$', { id: 'd-1' }));
  expect(second.lines).toEqual(first.lines);
});
