import { RunnerHeartbeat, type JobWhy, type Placement } from '@controlplane/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import type { JobForge } from '../control-plane.js';
import type { JobInput } from '../embedded/job-handle.js';
import { createManualClock, type ManualClock } from '../testing/manual-clock.js';
import { openGuarded } from '../testing/guarded-forge.js';
import { openForges } from '../testing/open-forge.js';
import { ECHO, type StubExecution, type StubRunner } from '../testing/stub-runner.js';

const test = openForges();
const guarded = openGuarded();
afterEach(async () => {
  await test.close();
  await guarded.close();
});

interface Stage {
  readonly forge: JobForge;
  readonly clock: ManualClock;
  /** Registers a runner that finishes at once, or holds what it gets. */
  add(name: string, options?: { holds?: boolean; [key: string]: unknown }): Promise<StubRunner>;
  /** The name of the runner that a job of this placement runs on. */
  placed(placement: Placement | undefined, job?: Partial<JobInput>): Promise<string | undefined>;
  why(id: string): Promise<JobWhy>;
}

async function stage(): Promise<Stage> {
  const clock = createManualClock(Date.parse('2026-01-01T12:00:00Z'));
  const forge = await test.forge({ clock, listen: { port: 0 } });
  const { operations } = forge;
  const accept = (execution: StubExecution): void => execution.accept();
  const finish = (execution: StubExecution): void => {
    execution.accept();
    execution.succeed({});
  };
  return {
    forge,
    clock,
    async add(name, { holds = false, ...overrides } = {}) {
      const runner = await test.runner({ form: 'batch', handle: holds ? accept : finish });
      await operations.registerRunner(runner.registration({ name, instanceId: `i-${name}`, ...overrides }));
      return runner;
    },
    async placed(placement, job) {
      const handle = await forge.submit({
        capability: 'echo',
        input: {},
        ...(placement && { placement }),
        ...job,
      });
      const { metadata } = await handle.result();
      return (await operations.listRunners()).find(({ id }) => id === metadata.runnerId)?.name;
    },
    async why(id) {
      const reply = await fetch(`${forge.url}/jobs/${id}/why`);
      expect(reply.status).toBe(200);
      return (await reply.json()) as JobWhy;
    },
  };
}

describe('a job is placed', () => {
  it('by the name, labels, platform and version that it asks for', async () => {
    const { forge, add, placed } = await stage();
    const linux = { os: 'linux', arch: 'x64' };
    await add('client-acme-1', { labels: { region: 'eu' }, platform: linux });
    await add('client-acme-2', { labels: { region: 'us' }, platform: { os: 'darwin', arch: 'arm64' } });
    await add('client-other', { labels: { region: 'ap' }, capabilities: [{ ...ECHO, version: '2.1.0' }] });
    const id = (await forge.operations.listRunners()).find(({ name }) => name === 'client-acme-2')?.id;
    expect(await placed({ runner: 'client-acme-2' })).toBe('client-acme-2');
    expect(await placed({ runner: id })).toBe('client-acme-2');
    expect(await placed({ runner: 'client-acme-*', labels: { region: ['eu', 'ap'] } })).toBe('client-acme-1');
    expect(await placed({ platform: { os: 'macos' } })).toBe('client-acme-2');
    expect(await placed({ version: '^2' })).toBe('client-other');
  });

  it('where a runner comes later that matches', async () => {
    const { add, placed } = await stage();
    await add('us', { labels: { region: 'us' } });
    const running = placed({ labels: { region: 'eu' } }, { id: 'j1' });
    await add('eu', { labels: { region: 'eu' } });
    expect(await running).toBe('eu');
  });

  it('with its affinity key on one runner, while that is there, and on another afterwards', async () => {
    const { forge, add, placed } = await stage();
    await add('a');
    const first = await placed({ affinity: 'k' });
    await add('0', { maxConcurrency: 100 });
    expect(first).toBe('a');
    for (let count = 0; count < 5; count += 1) expect(await placed({ affinity: 'k' })).toBe('a');
    expect(await placed(undefined)).toBe('0');
    const [runner] = (await forge.operations.listRunners()).filter(({ name }) => name === 'a');
    await forge.operations.drainRunner(runner?.id ?? '', {});
    expect(await placed({ affinity: 'k' })).toBe('0');
    // The key has moved: it does not go back by itself.
    await forge.operations.enableRunner(runner?.id ?? '');
    expect(await placed({ affinity: 'k' })).toBe('0');
  });

  it('elsewhere where the runner of its affinity key cannot do it, without taking the key along', async () => {
    const { add, placed } = await stage();
    await add('a');
    expect(await placed({ affinity: 'k' })).toBe('a');
    await add('b', { capabilities: [{ ...ECHO, id: 'other', supportedJobTypes: [] }, ECHO] });
    expect(await placed({ affinity: 'k' }, { capability: 'other' })).toBe('b');
    expect(await placed({ affinity: 'k' })).toBe('a');
  });
});

it('places what was kept on a runner that has left and comes back by its secret', async () => {
  const { forge, token, enroll } = await guarded.guarded();
  const runner = await guarded.runner({
    form: 'batch',
    handle(execution) {
      execution.accept();
      execution.succeed({});
    },
  });
  const enrolled = await enroll(runner, (await token({ kind: 'enrollment', name: 'one' })).token);
  const { runnerId, runnerSecret } = enrolled.body;
  const submit = (affinity: string): ReturnType<JobForge['submit']> =>
    forge.submit({ capability: 'echo', input: {}, placement: { affinity } });
  for (const key of ['k1', 'k2']) await (await submit(key)).result();
  // It stays, and takes nothing: what belongs to it waits for it.
  const timestamp = new Date().toISOString();
  const beat = { runnerId, timestamp, status: 'unhealthy', instanceId: 'i1' };
  await forge.operations.heartbeat(RunnerHeartbeat.parse(beat));
  const waiting = [await submit('k1'), await submit('k1'), await submit('k2')];
  await forge.operations.deregisterRunner(runnerId, { instanceId: 'i1' });
  expect((await enroll(runner, runnerSecret ?? '')).body.runnerId).toBe(runnerId);
  for (const job of waiting) expect(await job.result()).toMatchObject({ success: true });
});

describe('a job that no runner matches', () => {
  it('is refused where it does not want to wait, naming who comes near', async () => {
    const { forge, add } = await stage();
    await add('us', { labels: { region: 'us' } });
    await add('none');
    const placement = { labels: { region: 'eu' }, noMatch: 'fail' };
    const reply = await fetch(`${forge.url}/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'echo', payload: { type: 'echo', data: {} }, placement }),
    });
    expect(reply.status).toBe(409);
    expect(await reply.json()).toMatchObject({
      error: {
        code: 'NO_MATCHING_RUNNER',
        message:
          'no runner that offers echo has labels region=eu: none has no label region, us labels.region is "us"',
        details: [{ path: ['placement', 'labels'] }, { path: ['placement', 'labels'] }],
      },
    });
    expect((await forge.operations.listJobs({ limit: 10 })).items).toEqual([]);
  });

  it('names a capability that was probably meant', async () => {
    const { forge, add } = await stage();
    await add('a');
    const submitted = forge.submit({ capability: 'ecko', input: {}, placement: { noMatch: 'fail' } });
    await expect(submitted).rejects.toMatchObject({
      envelope: { code: 'NO_MATCHING_RUNNER', message: 'no runner offers ecko yet (did you mean echo?)' },
    });
  });

  it('is asked when it is to start, where it starts later', async () => {
    const { forge, clock } = await stage();
    const scheduledAt = new Date(clock.now() + 60_000).toISOString();
    const placement = { noMatch: 'fail' } as const;
    const job = await forge.submit({ capability: 'echo', input: {}, placement, metadata: { scheduledAt } });
    expect(await job.show()).toMatchObject({ status: 'pending' });
    clock.advance(60_000);
    expect(await job.result()).toMatchObject({ success: false, error: { code: 'NO_MATCHING_RUNNER' } });
  });
});

describe('why a job waits', () => {
  it('is told runner by runner, with what would have to change', async () => {
    const { forge, add, clock, why } = await stage();
    await add('images-1', { labels: { region: 'us' }, maxConcurrency: 2 });
    const gone = await add('images-2', { labels: { region: 'eu' }, maxConcurrency: 3 });
    const [, second] = await forge.operations.listRunners();
    await forge.operations.drainRunner(second?.id ?? '', {});
    await forge.submit({ id: 'j1', capability: 'echo', input: {}, placement: { labels: { region: 'eu' } } });
    clock.advance(12_000);
    expect(gone.executions).toEqual([]);
    expect(await why('j1')).toEqual({
      id: 'j1',
      status: 'queued',
      reason: 'images-2 is draining',
      waitingMs: 12_000,
      needs: ['labels region=eu'],
      ahead: 0,
      runners: [
        {
          id: second?.id,
          name: 'images-2',
          fails: 'availability',
          reason: 'is draining',
          slots: 3,
          freeSlots: 3,
        },
        expect.objectContaining({
          name: 'images-1',
          fails: 'labels',
          reason: 'labels.region is "us"',
          freeSlots: 2,
        }),
      ],
      wouldRunIf: ['images-2 could take work again (it is draining)'],
    });
  });

  it('names a runner that would have to come, and what would have to be asked for instead', async () => {
    const { forge, add, why } = await stage();
    await add('images-1', { labels: { region: 'us' }, platform: { os: 'linux', arch: 'x64' } });
    const change = async (id: string, placement: Placement, capability = 'echo'): Promise<string[]> => {
      await forge.submit({ id, capability, input: {}, placement });
      return (await why(id)).wouldRunIf;
    };
    expect(await change('j1', { labels: { region: 'eu' } })).toEqual([
      'a runner with labels region=eu registered',
      'with --label region=us',
    ]);
    expect(await change('j2', { version: '^2' })).toEqual([
      'a runner with version ^2 registered',
      'with echo@1.0.0',
    ]);
    expect(await change('j3', { platform: { arch: 'arm64' } })).toEqual([
      'a runner with platform */arm64 registered',
      'with --platform linux/x64',
    ]);
    expect(await change('j4', { runner: 'other', labels: { region: 'eu' } })).toEqual([
      'a runner with runner other, labels region=eu registered',
    ]);
    expect(await change('j5', {}, 'image.crop')).toEqual(['a runner registered that offers image.crop']);
  });

  it('counts who goes before it, and says what it waits for while it is held or runs', async () => {
    const { forge, add, why } = await stage();
    const runner = await add('one', { holds: true, maxConcurrency: 1 });
    await forge.submit({ id: 'j1', capability: 'echo', input: {} });
    await runner.execution(0);
    await forge.submit({ id: 'j2', capability: 'echo', input: {} });
    await forge.submit({ id: 'j3', capability: 'echo', input: {}, priority: 10 });
    expect(await why('j3')).toMatchObject({
      ahead: 1,
      reason: 'one has no free slot (1 of 1 taken)',
      runners: [{ fails: 'slots', freeSlots: 0 }],
      wouldRunIf: ['a slot of one became free'],
    });
    expect(await why('j1')).toMatchObject({
      reason: expect.stringMatching(/^it (runs on|is being offered to) one$/),
    });
    expect((await fetch(`${forge.url}/jobs/j9/why`)).status).toBe(404);
    runner.executions[0]?.succeed({});
    await forge.job('j1').result();
    expect(await why('j1')).toMatchObject({
      status: 'completed',
      reason: 'it has ended: completed',
      runners: [],
    });
  });
});
