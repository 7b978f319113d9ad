import { afterEach, describe, expect, it } from 'vitest';
import { closeApis, json, serveApi, submission } from './api-server.fixture.js';

afterEach(closeApis);

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const OTHER = '00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

async function post(
  path: string,
  body: unknown,
  traceparent: string,
): Promise<(id: string) => Promise<unknown>> {
  const { url, operations } = await serveApi();
  const headers = { 'content-type': 'application/json', traceparent };
  const reply = await fetch(`${url}${path}`, { ...json(body), headers });
  expect(reply.status).toBe(202);
  return async (id) => (await operations.showJob(id)).request.metadata.traceparent;
}

describe('the traceparent header of a submission', () => {
  it('is the job’s own from there on', async () => {
    const traceOf = await post('/jobs', submission({ id: 'a' }), TRACE);
    expect(await traceOf('a')).toBe(TRACE);
  });

  it('is that of each job of a batch', async () => {
    const jobs = [submission({ id: 'a' }), submission({ id: 'b', metadata: { traceparent: OTHER } })];
    const traceOf = await post('/jobs/batch', { jobs }, TRACE);
    expect([await traceOf('a'), await traceOf('b')]).toEqual([TRACE, OTHER]);
  });

  it('gives way to what the body says', async () => {
    const traceOf = await post('/jobs', submission({ id: 'a', metadata: { traceparent: OTHER } }), TRACE);
    expect(await traceOf('a')).toBe(OTHER);
  });

  it('is ignored where it cannot be read', async () => {
    const traceOf = await post('/jobs', submission({ id: 'a' }), 'nonsense');
    expect(await traceOf('a')).toBeUndefined();
  });
});
