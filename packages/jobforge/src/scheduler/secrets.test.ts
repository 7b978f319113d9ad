import { AuditQuery } from '@controlplane/contracts';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openFolders } from '../testing/open-folders.js';
import { openForges } from '../testing/open-forge.js';
import { ECHO, type StubExecution } from '../testing/stub-runner.js';

const test = openForges();
const { inFolder, remove } = openFolders();
afterEach(async () => {
  await test.close();
  remove();
});

const VALUE = 'hunter2-"quoted"-long';
const KEY = Buffer.alloc(32, 7).toString('base64');
const echo = { capability: 'echo', input: { text: 'hi' } };
const form = 'ndjson' as const;
const capabilities = [{ ...ECHO, secrets: ['API_KEY'] }];

const tellAll = (execution: StubExecution): void => {
  const { secrets } = execution.request as unknown as { secrets: Record<string, string> };
  const said = secrets['API_KEY'] ?? 'nothing';
  execution.accept();
  execution.send({ type: 'log', level: 'info', message: `using ${said}`, fields: { [said]: [said] } });
  execution.send({ type: 'progress', fraction: 0.5, message: `with ${said}` });
  if (execution.request.payload['text'] === 'fail') execution.fail('BROKEN', { message: `no ${said}` });
  else execution.succeed({ got: said, length: said.length });
};

describe('secrets of a capability', () => {
  it('go with its executions, and what comes back of them is hidden', async () => {
    const forge = await test.forge();
    const runner = await test.runner({ form, handle: tellAll });
    await forge.operations.setSecret('API_KEY', { value: VALUE });
    await forge.operations.registerRunner(runner.registration({ capabilities }));
    const job = await forge.submit(echo);
    expect(await job.result()).toMatchObject({
      success: true,
      data: { got: '[redacted]', length: VALUE.length },
    });
    const failed = await forge.submit({ capability: 'echo', input: { text: 'fail' } });
    expect((await failed.result()).error).toMatchObject({ code: 'BROKEN', message: 'no [redacted]' });
    for (const one of [job, failed]) {
      const kept: unknown[] = [await one.show()];
      for await (const event of one.events()) kept.push(event);
      expect(JSON.stringify(kept)).not.toContain('hunter2');
      expect(JSON.stringify(kept)).toContain('using [redacted]');
    }
  });

  it('stand in a result that matches its schema with them, and not in what is said of one that does not', async () => {
    const forge = await test.forge();
    const runner = await test.runner({
      form,
      handle(execution) {
        execution.accept();
        const { pin } = execution.request.payload as { pin?: boolean };
        execution.succeed(pin === true ? { pin: 123_456_789, key: VALUE } : { [VALUE]: 1 });
      },
    });
    const outputSchema = {
      type: 'object',
      properties: { pin: { type: 'integer' }, key: { pattern: '^hunter2' } },
      additionalProperties: { type: 'string' },
    };
    const own = [{ ...ECHO, inputSchema: {}, outputSchema, secrets: ['API_KEY', 'PIN'] }];
    await forge.operations.setSecret('API_KEY', { value: VALUE });
    await forge.operations.setSecret('PIN', { value: '123456789' });
    await forge.operations.registerRunner(runner.registration({ capabilities: own }));
    const good = await forge.submit({ capability: 'echo', input: { pin: true } });
    expect(await good.result()).toMatchObject({
      success: true,
      data: { pin: '[redacted]', key: '[redacted]' },
    });
    const bad = await forge.submit({ capability: 'echo', input: {} });
    const { error } = await bad.result();
    expect(error).toMatchObject({ code: 'OUTPUT_INVALID' });
    expect(JSON.stringify([error, await bad.show()])).not.toContain('hunter2');
  });

  it('are the one for the capability before the one for all', async () => {
    const forge = await test.forge();
    const got: unknown[] = [];
    const runner = await test.runner({
      form,
      handle(execution) {
        got.push((execution.request as { secrets?: unknown }).secrets);
        execution.accept();
        execution.succeed();
      },
    });
    await forge.operations.registerRunner(runner.registration({ capabilities }));
    await forge.operations.setSecret('API_KEY', { value: 'for-all' });
    await (await forge.submit(echo)).result();
    await forge.operations.setSecret('API_KEY', { value: 'for-echo', capability: 'echo' });
    await (await forge.submit(echo)).result();
    await forge.operations.deleteSecret('API_KEY', 'echo');
    await (await forge.submit(echo)).result();
    expect(got).toEqual([{ API_KEY: 'for-all' }, { API_KEY: 'for-echo' }, { API_KEY: 'for-all' }]);
  });

  it('that are missing have a job refused at submit, or failed where they went away since', async () => {
    const forge = await test.forge();
    const runner = await test.runner({ form, handle: tellAll });
    await forge.operations.setSecret('API_KEY', { value: VALUE });
    const early = await forge.submit(echo);
    await forge.operations.deleteSecret('API_KEY');
    await forge.operations.registerRunner(runner.registration({ capabilities }));
    expect((await early.result()).error).toMatchObject({ code: 'SECRET_MISSING', retryable: false });
    await expect(forge.submit(echo)).rejects.toMatchObject({
      envelope: {
        code: 'SECRET_MISSING',
        message: expect.stringContaining('API_KEY') as string,
        remedy: expect.stringContaining('jobforge secret set API_KEY') as string,
      },
    });
    expect(runner.executions).toHaveLength(0);
  });

  it('are hidden as they were sent, although they have been rotated since', async () => {
    const forge = await test.forge();
    const runner = await test.runner({ form, handle: ({ accept }) => accept() });
    await forge.operations.setSecret('API_KEY', { value: VALUE });
    await forge.operations.registerRunner(runner.registration({ capabilities }));
    const job = await forge.submit(echo);
    const broken = await runner.execution(0);
    await forge.operations.setSecret('API_KEY', { value: 'another-value' });
    broken.drop();
    // It is sent again, with the new value, and answers as what it was begun with.
    const again = await runner.execution(1);
    again.send({ type: 'log', level: 'info', message: `using ${VALUE} and another-value` });
    again.succeed({ got: VALUE });
    expect(await job.result()).toMatchObject({ success: true, data: { got: '[redacted]' } });
    const kept = [];
    for await (const event of job.events()) kept.push(event);
    expect(JSON.stringify(kept)).toContain('using [redacted] and [redacted]');
  });

  it('are hidden as far as they are known where one of them is gone after a restart', async () => {
    const folder = inFolder();
    const options = { store: `sqlite:${join(folder, 'jobs.db')}`, secretsKey: KEY };
    const first = await test.forge(options);
    const runner = await test.runner({ form, handle: ({ accept }) => accept() });
    for (const name of ['API_KEY', 'OTHER']) await first.operations.setSecret(name, { value: VALUE + name });
    const both = [{ ...ECHO, secrets: ['OTHER', 'API_KEY'] }];
    await first.operations.registerRunner(runner.registration({ capabilities: both }));
    const { id } = await first.submit(echo);
    await runner.execution(0);
    await expect.poll(async () => (await first.job(id).show()).status).toBe('running');
    await first.operations.deleteSecret('OTHER');
    await first.stop({ drainMs: 0 });
    const second = await test.forge(options);
    (await runner.execution(1)).succeed({ got: `${VALUE}API_KEY` });
    expect(await second.job(id).result()).toMatchObject({ success: true, data: { got: '[redacted]' } });
  });

  it('are listed and audited without their values, and refused where they are not there', async () => {
    const { operations } = await test.forge();
    await operations.setSecret('B', { value: VALUE, capability: 'echo' }, 'token:ops');
    await operations.setSecret('A', { value: VALUE });
    await operations.setSecret('A', { value: 'another' });
    const listed = await operations.listSecrets();
    expect(listed).toMatchObject([{ name: 'A' }, { name: 'B', capability: 'echo' }]);
    await operations.deleteSecret('A');
    await expect(operations.deleteSecret('A')).rejects.toMatchObject({
      envelope: { code: 'SECRET_NOT_FOUND' },
    });
    const { entries } = await operations.listAudit(AuditQuery.parse({}));
    expect(entries).toMatchObject([
      { action: 'secret.delete', subject: 'secret:A', actor: 'library' },
      { action: 'secret.set', subject: 'secret:A' },
      { action: 'secret.set', subject: 'secret:A' },
      { action: 'secret.set', subject: 'secret:B', actor: 'token:ops', detail: { capability: 'echo' } },
    ]);
    expect(JSON.stringify([listed, entries])).not.toContain('hunter2');
  });
});

describe('the store of secrets', () => {
  it('keeps them over a restart, encrypted, and gives none to a JobForge with another key', async () => {
    const folder = inFolder();
    const store = `sqlite:${join(folder, 'jobs.db')}`;
    const open = (secretsKey?: string) => test.forge({ store, ...(secretsKey && { secretsKey }) });
    const run = async (forge: Awaited<ReturnType<typeof open>>): Promise<unknown> => {
      const runner = await test.runner({ form, handle: tellAll });
      await forge.operations.registerRunner(runner.registration({ capabilities }));
      return (await forge.submit(echo)).result();
    };
    const first = await open(KEY);
    await first.operations.setSecret('API_KEY', { value: VALUE });
    expect(await run(first)).toMatchObject({ success: true });
    await first.stop();
    const bytes = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'));
    expect(bytes.join('')).not.toContain('hunter2');
    const second = await open(KEY);
    expect(await run(second)).toMatchObject({ success: true });
    await second.stop();
    const other = await open(Buffer.alloc(32, 8).toString('hex'));
    expect(await run(other)).toMatchObject({ success: false, error: { code: 'SECRET_MISSING' } });
    await other.stop();
    const none = await open();
    await expect(none.operations.setSecret('A', { value: 'x' })).rejects.toMatchObject({
      envelope: { code: 'SECRETS_LOCKED' },
    });
  });
});
