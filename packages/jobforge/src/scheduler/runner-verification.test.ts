import type { RunnerVerification } from '@controlplane/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { openDialIns } from '../testing/dial-in-forge.js';
import { eventsOf } from '../testing/dial-in-runner.js';
import { poller } from '../testing/polling-runner.js';
import { PROBE_CAPABILITY } from './runner-verification.js';

const test = openDialIns();
afterEach(test.close);

const unknown = (retryable = false): object => ({
  type: 'failed',
  executionTimeMs: 0,
  error: {
    ...{ id: 'e1', timestamp: new Date().toISOString(), category: 'RESOURCE_NOT_FOUND', severity: 'error' },
    ...{ code: 'CAPABILITY_NOT_FOUND', message: 'no', service: 'stub', contractVersion: '1.0.0', retryable },
  },
});

async function verify(url: string, id: string): Promise<RunnerVerification> {
  const response = await fetch(`${url}/runners/${id}/verify`, { method: 'POST' });
  return (await response.json()) as RunnerVerification;
}

const said = ({ steps }: RunnerVerification): string[] =>
  steps.map(({ name, ok }) => `${name} ${String(ok)}`);
const ALL = ['connection true', 'health true', 'execution true'];

describe('verifying a runner', () => {
  it.each(['json', 'batch'] as const)('that work is pushed to (%s) hands it an execution', async (form) => {
    const forge = await test.listening();
    const runner = await test.runner({
      form,
      handle: ({ fail }) => fail('CAPABILITY_NOT_FOUND', { category: 'RESOURCE_NOT_FOUND' }),
    });
    const { runnerId } = await forge.operations.registerRunner(runner.registration());
    const verification = await verify(forge.url, runnerId);
    expect(verification).toMatchObject({ runnerId, ok: true });
    expect(said(verification)).toEqual(ALL);
    expect(runner.executions[0]?.request).toMatchObject({ capabilityId: PROBE_CAPABILITY, payload: {} });
    expect((await forge.operations.listJobs({ limit: 10 })).items).toEqual([]);
  });

  it('that dials in goes over its socket, from the claim to the acknowledgement', async () => {
    const forge = await test.listening();
    const runner = await test.socket(forge.url);
    const { runnerId } = await runner.register();
    const verifying = verify(forge.url, runnerId);
    const offered = await runner.offer();
    expect(await runner.accept({ ...offered, leaseToken: 'wrong' })).toBe('LEASE_SUPERSEDED');
    expect(await runner.accept(offered)).toBeUndefined();
    const [event] = eventsOf(offered, [unknown()], 1);
    if (event !== undefined) runner.tell(offered, event);
    expect((await runner.next('acknowledged')).executions).toEqual([
      { executionId: offered.executionId, seq: 1 },
    ]);
    expect(said(await verifying)).toEqual(ALL);
  });

  it('that polls goes by its polls, and works while it is disabled', async () => {
    const forge = await test.listening();
    const runner = await poller(forge.url);
    await forge.operations.disableRunner(runner.runnerId, {});
    const verifying = verify(forge.url, runner.runnerId);
    const [offered] = await runner.offers();
    if (offered === undefined) throw new Error('nothing was offered');
    await runner.accept(offered);
    await runner.tell(offered, ...eventsOf(offered, [unknown()], 1));
    expect(said(await verifying)).toEqual(ALL);
  });

  it('says where the path ends', async () => {
    const forge = await test.listening({ limits: { offerMs: 50 } });
    const runner = await test.runner({
      form: 'batch',
      handle: ({ accept, succeed }) => (accept(), succeed()),
    });
    const { runnerId } = await forge.operations.registerRunner(runner.registration());
    expect((await verify(forge.url, runnerId)).steps.at(-1)).toMatchObject({
      ...{ name: 'execution', ok: false },
      message: 'it ran jobforge.verify, which it does not offer: succeeded',
    });
    runner.health = undefined;
    expect(said(await verify(forge.url, runnerId))).toEqual(['connection true', 'health false']);
    const gone = await test.socket(forge.url);
    const { runnerId: goneId } = await gone.register({ name: 'gone' });
    gone.cut();
    await expect.poll(async () => (await forge.operations.showRunner(goneId)).status).toBe('offline');
    expect(said(await verify(forge.url, goneId))).toEqual(['connection false']);
  });
});
