import { AuditQuery } from '@controlplane/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { ADMIN_TOKEN, openGuarded, type GuardedForge } from '../testing/guarded-forge.js';

const test = openGuarded();
afterEach(test.close);

/** What was done since a sequence of requests began, oldest first. */
async function trailOf({ forge }: GuardedForge): Promise<readonly object[]> {
  const { entries } = await forge.operations.listAudit(AuditQuery.parse({}));
  return entries
    .map(({ actor, action, subject, detail }) => ({ actor, action, subject, ...(detail && { detail }) }))
    .filter(({ action }) => !action.startsWith('token.'))
    .toReversed();
}

const actor = 'token:admin-token';

describe('the audit trail', () => {
  it('names who cancels and retries jobs', async () => {
    const guarded = await test.guarded();
    const { ask, forge } = guarded;
    const { token: as } = await guarded.token({ kind: 'api', name: 'ci', role: 'submit' });
    const { id } = await forge.submit({ capability: 'rare', input: {} });
    await ask('POST', `/jobs/${id}/cancel`, { as });
    await ask('POST', `/jobs/${id}/cancel`, { as });
    await ask('POST', `/jobs/${id}/retry`, { as });
    await forge.job(id).cancel();
    const some = { status: 'cancelled', type: 'rare' };
    await ask('POST', '/jobs/retry', { as, body: { ...some, dryRun: true } });
    await ask('POST', '/jobs/retry', { as, body: some });
    const subject = `job:${id}`;
    const detail = { reason: 'user' };
    expect(await trailOf(guarded)).toEqual([
      { actor: 'token:ci', action: 'job.cancel', subject, detail },
      { actor: 'token:ci', action: 'job.retry', subject },
      { actor: 'library', action: 'job.cancel', subject, detail },
      { actor: 'token:ci', action: 'job.retry', subject: 'jobs', detail: { ...some, retried: 1 } },
    ]);
  });

  it('names who controls runners', async () => {
    const guarded = await test.guarded();
    const { ask } = guarded;
    const { token: enrollment } = await guarded.token({ kind: 'enrollment', name: 'in' });
    const stub = await test.runner({ form: 'ndjson', handle: (execution) => execution.accept() });
    const { body } = await guarded.enroll(stub, enrollment);
    const path = `/runners/${body.runnerId}`;
    const as = ADMIN_TOKEN;
    await ask('POST', `${path}/drain`, { as, body: { reason: 'a new disk' } });
    await ask('POST', `${path}/disable`, { as, body: {} });
    await ask('POST', `${path}/enable`, { as });
    await ask('DELETE', `${path}?force=true`, { as });
    await ask('DELETE', `${path}?force=true`, { as });
    const subject = `runner:${body.runnerId}`;
    expect(await trailOf(guarded)).toEqual([
      { actor, action: 'runner.drain', subject, detail: { reason: 'a new disk' } },
      { actor, action: 'runner.disable', subject },
      { actor, action: 'runner.enable', subject },
      { actor, action: 'runner.delete', subject, detail: { force: true } },
    ]);
  });

  it('names who sets secrets and webhooks, without what is secret in them', async () => {
    const guarded = await test.guarded({ secretsKey: Buffer.alloc(32, 7).toString('base64') });
    const { ask } = guarded;
    const as = ADMIN_TOKEN;
    await ask('PUT', '/secrets/API_KEY', { as, body: { value: 'a-value' } });
    await ask('DELETE', '/secrets/API_KEY', { as });
    await ask('POST', '/webhooks', { as, body: { id: 'w', url: 'https://example.com/hook?key=hidden' } });
    await ask('DELETE', '/webhooks/w', { as });
    expect(await trailOf(guarded)).toEqual([
      { actor, action: 'secret.set', subject: 'secret:API_KEY' },
      { actor, action: 'secret.delete', subject: 'secret:API_KEY' },
      { actor, action: 'webhook.create', subject: 'webhook:w', detail: { origin: 'https://example.com' } },
      { actor, action: 'webhook.delete', subject: 'webhook:w' },
    ]);
  });
});
