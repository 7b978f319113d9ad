import { afterEach, describe, expect, it } from 'vitest';
import { openGuarded, type GuardedForge } from '../testing/guarded-forge.js';
import { ECHO } from '../testing/stub-runner.js';

const test = openGuarded();
afterEach(test.close);

const payload = (type: string): object => ({ type, data: { text: 'hi' } });

/** A JobForge with a runner of `shell`, which takes all jobs of the type `shell`, and of `report.daily`. */
async function withShell(scope: object): Promise<GuardedForge & { readonly as: string; ran: string[] }> {
  const guarded = await test.guarded();
  const ran: string[] = [];
  const runner = await test.runner({
    form: 'ndjson',
    handle(execution) {
      ran.push(execution.request.capabilityId);
      execution.accept();
      execution.succeed();
    },
  });
  const capabilities = [
    { ...ECHO, id: 'shell', supportedJobTypes: ['shell'] },
    { ...ECHO, id: 'report.daily', supportedJobTypes: ['numbers'] },
  ];
  const { token: enrollment } = await guarded.token({ kind: 'enrollment', name: 'in' });
  await guarded.enroll(runner, enrollment, { capabilities });
  const { token: as } = await guarded.token({ kind: 'api', name: 'reports', role: 'submit', ...scope });
  return { ...guarded, as, ran };
}

describe('a token for some capabilities', () => {
  const scope = { capabilities: ['report.*'] };

  it('submits what it names, whatever the type of the job', async () => {
    const { ask, as, forge } = await withShell(scope);
    const body = { type: 'data-processing', payload: payload('report.daily') };
    const submitted = await ask('POST', '/jobs', { as, body });
    expect(submitted.status).toBe(202);
    expect(await forge.job(String(submitted.body['id'])).result()).toMatchObject({ success: true });
  });

  it('is refused what it does not name, alone or among others', async () => {
    const { ask, as } = await withShell(scope);
    const refused = { type: 'report.daily', payload: payload('shell') };
    const body = { jobs: [{ type: 'x', payload: payload('report.daily') }, refused] };
    for (const answered of [
      await ask('POST', '/jobs', { as, body: refused }),
      await ask('POST', '/jobs/batch', { as, body }),
    ]) {
      expect(answered.status).toBe(403);
      expect(answered.body.error?.code).toBe('SCOPE_EXCEEDED');
    }
    expect((await ask('GET', '/jobs', { as })).body['items']).toEqual([]);
  });

  it('reaches no other capability by the type of a job', async () => {
    const { ask, as, ran, forge } = await withShell(scope);
    const around = { type: 'shell', payload: payload('report.none') };
    const asked = { ...around, placement: { servedBy: 'id-or-type' } };
    const { body: one } = await ask('POST', '/jobs', { as, body: asked });
    const { body: batch } = await ask('POST', '/jobs/batch', { as, body: { jobs: [around] } });
    const [entry] = batch['jobs'] as { id: string }[];
    // What is submitted after it, and may run, has run.
    const last = await ask('POST', '/jobs', { as, body: { type: 'x', payload: payload('report.daily') } });
    await forge.job(String(last.body['id'])).result();
    expect(ran).toEqual(['report.daily']);
    for (const id of [String(one['id']), entry?.id]) {
      const shown = await ask('GET', `/jobs/${id}`, { as });
      expect(shown.body).toMatchObject({ status: 'queued', request: { placement: { servedBy: 'id' } } });
    }
    const refused = await ask('POST', '/jobs', { as, body: { ...around, placement: { noMatch: 'fail' } } });
    expect(refused.body.error?.code).toBe('NO_MATCHING_RUNNER');
  });

  it('sees no job that names another', async () => {
    const { ask, as, forge } = await withShell(scope);
    const other = await forge.submit({ capability: 'shell', input: { text: 'hi' } });
    expect((await ask('GET', `/jobs/${other.id}`, { as })).body.error?.code).toBe('SCOPE_EXCEEDED');
    expect((await ask('GET', '/jobs', { as })).body['items']).toEqual([]);
  });
});

describe('a token for some runners', () => {
  it('submits to those, by either name of what they do', async () => {
    const { ask, as, ran, forge } = await withShell({ runners: ['stub*'] });
    const { body } = await ask('POST', '/jobs', { as, body: { type: 'numbers', payload: payload('x') } });
    expect(body['request']).toMatchObject({ placement: { runner: 'stub*' } });
    await forge.job(String(body['id'])).result();
    expect(ran).toEqual(['report.daily']);
    const elsewhere = { type: 'numbers', payload: payload('x'), placement: { runner: 'other' } };
    expect((await ask('POST', '/jobs', { as, body: elsewhere })).body.error?.code).toBe('SCOPE_EXCEEDED');
  });
});
