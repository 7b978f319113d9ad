import { afterEach, describe, expect, it } from 'vitest';
import { closeApis, json, serveApi, submission } from '../api/api-server.fixture.js';
import { createInMemoryOperations } from '../api/operations-in-memory.fixture.js';
import { apiWithRunner } from './api-with-runner.fixture.js';
import { runJobforge } from './cli-run.fixture.js';
import { JSON_OUTPUT } from './json-output.js';

afterEach(closeApis);

describe('job why', () => {
  it('says runner by runner why a job waits, and what would have to change', async () => {
    const { url } = await apiWithRunner();
    await fetch(`${url}/jobs`, json(submission({ id: 'j1' })));
    expect(await runJobforge(url, ['job', 'why', 'j1'])).toEqual({
      code: 0,
      out: [
        'waiting 12 s · needs labels region=eu',
        '  my-runner   labels.region is "us"   (2 slots free)',
        '  images      is draining             (3 slots free)',
        '  would run if a runner with labels region=eu registered, or with --label region=us',
      ],
      err: [],
    });
  });

  it('says what it waits for beside runners, and who goes before it', async () => {
    const { url } = await serveApi({
      operations: createInMemoryOperations({
        whyJob: async (id) => ({
          ...{
            id,
            status: 'queued',
            reason: 'the concurrency key "k" is taken (1 of 1 running)',
            waitingMs: 90_000,
          },
          ...{
            needs: [],
            ahead: 2,
            runners: [{ id: 'r', name: 'one', slots: 3, freeSlots: 1 }],
            moreRunners: 4,
          },
          wouldRunIf: ['a job of the concurrency key "k" ended'],
        }),
      }),
    });
    expect((await runJobforge(url, ['job', 'why', 'j1'])).out).toEqual([
      'waiting 1 min',
      '  the concurrency key "k" is taken (1 of 1 running)',
      '  one   could take it   (1 slot free)',
      '  and 4 more',
      '  2 jobs go before it',
      '  would run if a job of the concurrency key "k" ended',
    ]);
  });

  it('says in one line what a job does that does not wait', async () => {
    const { url } = await serveApi({
      operations: createInMemoryOperations({
        whyJob: async (id) => ({
          ...{ id, status: 'running', reason: 'it runs on one', needs: [], runners: [], wouldRunIf: [] },
        }),
      }),
    });
    expect((await runJobforge(url, ['job', 'why', 'j1'])).out).toEqual(['running · it runs on one']);
  });

  it('is JSON of the documented shape, and refuses a job that is not there', async () => {
    const { url } = await apiWithRunner();
    await fetch(`${url}/jobs`, json(submission({ id: 'j1' })));
    const { out } = await runJobforge(url, ['job', 'why', 'j1', '--json']);
    expect(JSON_OUTPUT['job why'].parse(JSON.parse(out[0] ?? ''))).toMatchObject({
      id: 'j1',
      waitingMs: 12_000,
    });
    expect((await runJobforge(url, ['job', 'why', 'nothing'])).code).toBe(1);
  });
});
