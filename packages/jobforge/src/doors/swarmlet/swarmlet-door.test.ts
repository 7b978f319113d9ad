import { SwarmletServerFrame } from '@controlplane/contracts/swarmlet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGuarded, type GuardedForge } from '../../testing/guarded-forge.js';
import { dialDoor, type ForeignClient } from '../foreign-client.fixture.js';
import { numberOf } from './announcement.js';

const test = openGuarded();
afterAll(test.close);

const REGISTER = '/api/runners/register';
const SOCKET = '/api/runners/ws';
const metadata = { hostname: 'cellar', platform: 'linux', arch: 'x64', runner_version: '0.3.0' };

type Guarded = Pick<GuardedForge, 'forge' | 'url' | 'ask' | 'token' | 'clock'>;

const open = (): Promise<Guarded> => test.guarded({ accept: ['swarmlet'] });

interface Enrolled {
  readonly runner_id: number;
  readonly runner_secret: string;
}

let enrolled = 0;

async function enroll({ ask, token }: Guarded, more: object = {}): Promise<Enrolled> {
  const { token: enroll_token } = await token({ kind: 'enrollment', name: `fleet-${(enrolled += 1)}` });
  const body = { enroll_token, name: 'builder', metadata, ...more };
  const reply = await ask('POST', REGISTER, { body });
  expect(reply.status).toBe(200);
  return reply.body as unknown as Enrolled;
}

function hello({ runner_id, runner_secret: secret }: Enrolled): object {
  return { type: 'hello', runner_id, secret, metadata };
}

async function connected(of: Guarded, who: Enrolled): Promise<ForeignClient> {
  const client = await dialDoor(of.url, SOCKET);
  client.send(hello(who));
  await expect
    .poll(async () => (await of.forge.operations.listRunners())[0]?.status, { timeout: 15_000 })
    .toBe('healthy');
  return client;
}

const submit = ({ forge }: Guarded, command: string) =>
  forge.submit({ capability: 'shell.full', input: { command }, retryPolicy: { maxRetries: 0 } });

async function asked(client: ForeignClient) {
  const frame = SwarmletServerFrame.parse(await client.next());
  if (frame.type !== 'exec_request') throw new Error(`not asked: ${frame.type}`);
  return frame;
}

describe('a hello', () => {
  let shared: Guarded;
  let known: Enrolled;
  beforeAll(async () => {
    shared = await open();
    known = await enroll(shared);
  });

  it.each([
    ['what is no JSON', () => 'hello', 'Invalid hello message'],
    ['what is no frame', () => ({ type: 'greeting' }), 'Invalid hello message'],
    ['another frame', () => ({ type: 'heartbeat' }), 'Expected hello message'],
    ['no secret', (who: Enrolled) => ({ ...hello(who), secret: '' }), 'Missing secret'],
    [
      'neither number nor name',
      (who: Enrolled) => ({ ...hello(who), runner_id: null }),
      'Missing runner_id or runner_name',
    ],
    ['a secret of nobody', (who: Enrolled) => ({ ...hello(who), secret: 'mine' }), 'Invalid runner secret'],
    ['another number', (who: Enrolled) => ({ ...hello(who), runner_id: 7 }), 'Runner not found'],
    [
      'another name',
      (who: Enrolled) => ({ ...hello(who), runner_id: null, runner_name: 'x' }),
      'Runner not found',
    ],
  ])('of %s is refused in the words of Swarmlet', async (_what, frame, reason) => {
    const { url } = shared;
    const client = await dialDoor(url, SOCKET);
    client.send(frame(known));
    expect(await client.closed).toEqual({ code: 1008, reason });
  });

  it('with a token that is no runner’s secret is refused', async () => {
    const { url, token } = shared;
    const { token: secret } = await token({ kind: 'enrollment', name: 'not-a-secret' });
    const client = await dialDoor(url, SOCKET);
    client.send({ ...hello(known), secret });
    expect((await client.closed).reason).toBe('Invalid runner secret');
  });

  it('that does not come within ten seconds is waited for no longer', async () => {
    const of = await open();
    const client = await dialDoor(of.url, SOCKET);
    // The door has the socket once it answers another one that was dialled after it.
    const second = await dialDoor(of.url, SOCKET);
    second.send('x');
    await second.closed;
    of.clock.advance(10_000);
    expect(await client.closed).toEqual({ code: 1008, reason: 'No hello message in time' });
  });
});

describe('an enrollment', () => {
  it('is refused as Swarmlet refuses one', async () => {
    const { ask, token } = await open();
    const post = async (body: unknown) => {
      const { status, body: said } = await ask('POST', REGISTER, { body });
      return [status, said['detail']];
    };
    const invalid = [400, 'Invalid or expired enrollment token'];
    expect(await post({ enroll_token: 'mine' })).toEqual(invalid);
    const { token: api } = await token({ kind: 'api', name: 'admin', role: 'admin' });
    expect(await post({ enroll_token: api })).toEqual(invalid);
    expect((await post({ name: 'builder' }))[0]).toBe(422);
    const { token: one } = await token({ kind: 'enrollment', name: 'one', maxMachines: 1 });
    expect((await post({ enroll_token: one, metadata }))[0]).toBe(200);
    const elsewhere = { ...metadata, hostname: 'attic' };
    expect(await post({ enroll_token: one, metadata: elsewhere })).toEqual([
      400,
      'The token "one" is bound to another machine.',
    ]);
  });
});

it('a runner that said nothing of what it can do is to look only, until its hello says more', async () => {
  const of = await open();
  const { ask, token, forge } = of;
  const { token: enroll_token } = await token({ kind: 'enrollment', name: 'silent' });
  const { body } = await ask('POST', REGISTER, { body: { enroll_token, name: 'builder', metadata } });
  expect(body['runner_capabilities_csv']).toBe('exec.readonly');
  const capabilities = async () =>
    (await forge.operations.listRunners())[0]?.capabilities.map(({ id }) => id);
  expect(await capabilities()).toEqual(['shell.readonly']);
  const client = await dialDoor(of.url, SOCKET);
  client.send(hello(body as unknown as Enrolled));
  await expect.poll(capabilities, { timeout: 15_000 }).toEqual(['shell.full']);
});

describe('a runner that was let in', () => {
  it('is given one command at a time, and its job has what it printed', async () => {
    const of = await open();
    const client = await connected(of, await enroll(of));
    const [first, second] = [await submit(of, 'one'), await submit(of, 'two')];
    const { job_id, command, timeout_secs } = await asked(client);
    expect([command, timeout_secs]).toEqual(['one', 30]);
    client.send({ type: 'exec_chunk', job_id, stream: 'stdout', data: 'hi\n' });
    client.send({ type: 'exec_done', job_id, exit_code: 0, duration_ms: 5 });
    expect(await first.result()).toMatchObject({ success: true, data: { stdout: 'hi\n', durationMs: 5 } });
    const next = await asked(client);
    expect(next.command).toBe('two');
    client.send({ type: 'exec_error', job_id: next.job_id, error: 'spawn failed' });
    expect(await second.result()).toMatchObject({ error: { code: 'COMMAND_REFUSED' } });
  });

  it('is told to stop what is cancelled', async () => {
    const of = await open();
    const client = await connected(of, await enroll(of));
    const job = await submit(of, 'sleep');
    const { job_id } = await asked(client);
    await job.cancel();
    expect(await client.next()).toEqual({ type: 'exec_cancel', job_id });
    client.send({ type: 'exec_done', job_id, exit_code: 143, duration_ms: 5 });
    expect((await job.result()).success).toBe(false);
    expect((await job.show()).status).toBe('cancelled');
  });

  it('is told to stop what is not its own, and ends nobody’s job', async () => {
    const of = await open();
    const client = await connected(of, await enroll(of));
    client.send({ type: 'exec_done', job_id: 'nobody', exit_code: 0, duration_ms: 1 });
    client.send({ type: 'exec_chunk', job_id: 'nobody', stream: 'stdout', data: 'x' });
    expect(await client.next()).toEqual({ type: 'exec_cancel', job_id: 'nobody' });
  });

  it('goes on with a command over another connection', async () => {
    const of = await open();
    const who = await enroll(of);
    const client = await connected(of, who);
    const job = await submit(of, 'long');
    const { job_id } = await asked(client);
    client.hangUp();
    const again = await dialDoor(of.url, SOCKET);
    again.send(hello(who));
    again.send({ type: 'exec_chunk', job_id, stream: 'stderr', data: 'late' });
    again.send({ type: 'exec_done', job_id, exit_code: 0, duration_ms: 5 });
    expect(await job.result()).toMatchObject({ data: { stderr: 'late' }, metadata: { attempts: 1 } });
    expect(again.unread).toEqual([]);
  });

  it('is let go when it is revoked, with a reason that its own runner reads', async () => {
    const of = await open();
    const client = await connected(of, await enroll(of));
    const [runner] = await of.forge.operations.listRunners();
    await of.forge.operations.revokeRunner(runner?.id ?? '');
    expect(await client.closed).toEqual({ code: 1008, reason: 'Runner has been revoked' });
  });

  it('gives its place to another connection of its own', async () => {
    const of = await open();
    const who = await enroll(of);
    const client = await connected(of, who);
    const again = await dialDoor(of.url, SOCKET);
    again.send(hello(who));
    expect((await client.closed).code).toBe(1008);
    const job = await submit(of, 'here');
    expect((await asked(again)).command).toBe('here');
    await job.cancel();
  });

  it('looks only where it says that it does', async () => {
    const of = await open();
    const who = await enroll(of, { capabilities: ['exec.readonly'] });
    const [runner] = await of.forge.operations.listRunners();
    expect(runner?.capabilities.map(({ id }) => id)).toEqual(['shell.readonly']);
    expect(numberOf(runner?.id ?? '')).toBe(who.runner_id);
    const client = await dialDoor(of.url, SOCKET);
    client.send({ ...hello(who), metadata: { ...metadata, capabilities: ['exec.readonly'] } });
    const job = await of.forge.submit({ capability: 'shell.readonly', input: { argv: ['df', '-h'] } });
    expect(await asked(client)).toMatchObject({ command: 'df -h' });
    await job.cancel();
  });
});

it('nothing of Swarmlet is served where it was not named', async () => {
  const { url, ask } = await test.guarded();
  expect((await ask('POST', REGISTER, { body: {} })).status).toBe(404);
  await expect(dialDoor(url, SOCKET)).rejects.toThrow(/404/);
});
