import {
  SwampDispatch,
  SwampEnrolled,
  SwampFrame,
  SwampHandle,
  SwampWriter,
} from '@controlplane/contracts/swamp';
import type { JobHandle } from '@controlplane/jobforge';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { createArrivals } from '../hosts/arrivals.js';
import { TRANSCRIPT } from '../hosts/swamp/transcript.js';
import { openForge, type Opened } from './opened.js';

// The session that swamp's own runner holds with its swamp, said by it to JobForge.

type Told = Readonly<Record<string, unknown>>;

async function dial({ url }: Opened) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/`);
  onTestFinished(() => socket.terminate());
  const told = createArrivals<SwampFrame>();
  socket.on('message', (data: Buffer) => told.push(SwampFrame.parse(JSON.parse(data.toString()))));
  await new Promise((resolve) => socket.once('open', resolve));
  return { socket, told, say: (frame: object) => socket.send(JSON.stringify(frame)) };
}

/** Writes what came of a command, as a runner does before it answers. */
async function write({ url }: Opened, credential: string, data: object): Promise<void> {
  const post = async (path: string, body: string, type = 'application/json'): Promise<unknown> => {
    const headers = { authorization: `Bearer ${credential}`, 'content-type': type };
    const response = await fetch(`${url}/${path}`, { method: 'POST', headers, body });
    expect(response.status).toBe(200);
    return response.json();
  };
  const named = { specName: 'result', name: 'result' };
  SwampHandle.parse(await post('data/resource', JSON.stringify({ ...named, data })));
  const writer = SwampWriter.parse(await post('data/writers', JSON.stringify({ ...named, name: 'log' })));
  SwampHandle.parse(await post(`data/writers/${writer.writerId}/content`, '[stdout]\nprod', 'text/plain'));
}

const filled = (frame: Told): Told =>
  JSON.parse(JSON.stringify(frame).replaceAll('"<number>"', '12').replaceAll('<text>', 'a-text')) as Told;

/** Plays the runner of the recording, and whoever submits what that was asked for. */
async function stage(opened: Opened) {
  const token = await opened.token();
  const { told, say } = await dial(opened);
  const jobs = new Map<unknown, JobHandle>();
  const asked = new Map<unknown, { readonly id: string; readonly dispatch: SwampDispatch }>();
  let heard = 0;
  const next = async (): Promise<SwampFrame | undefined> =>
    (await told.count(() => true, (heard += 1))).at(-1);

  async function submit({ id, params }: Told): Promise<void> {
    const recorded = SwampDispatch.parse(params);
    const { run, timeout = 30_000 } = recorded.execution.methodArgs as { run: string; timeout?: number };
    const job = { capability: 'shell.full', input: { command: run }, timeoutMs: timeout };
    jobs.set(id, await opened.forge.submit({ ...job, retryPolicy: { maxRetries: 0 } }));
    const request = await next();
    if (request?.type !== 'rpc.request') throw new Error(JSON.stringify(request));
    expect(request.method).toBe('worker.dispatch');
    const dispatch = SwampDispatch.parse(request.params);
    expect(dispatch.execution.methodArgs).toEqual({ run, timeout });
    expect(dispatch.bundleFingerprint).toBe(recorded.bundleFingerprint);
    asked.set(id, { id: request.id, dispatch });
  }
  async function enroll(frame: Told): Promise<void> {
    say({ ...frame, params: { ...(frame['params'] as object), token } });
    const answer = await next();
    if (answer?.type !== 'rpc.response') throw new Error(JSON.stringify(answer));
    expect(SwampEnrolled.parse(answer.result).protocolVersion).toBe(4);
  }
  async function answer(frame: Told): Promise<void> {
    const of = asked.get(frame['id']);
    if (frame['type'] === 'rpc.response' && frame['id'] === 'r-1')
      await write(opened, of?.dispatch.dispatchCredential ?? '', { exitCode: 0, stdout: 'prod' });
    say({ ...frame, id: of?.id });
  }
  async function cancel({ id }: Told): Promise<void> {
    await jobs.get(id)?.cancel();
    expect(await next()).toEqual({ type: 'rpc.cancel', id: asked.get(id)?.id });
  }
  const step = ({ from, frame }: (typeof TRANSCRIPT)[number]): Promise<void> => {
    const isRequest = frame['type'] === 'rpc.request';
    if (from === 'runner') return isRequest ? enroll(frame) : answer(frame);
    return isRequest ? submit(frame) : cancel(frame);
  };
  return { step, jobs, asked, silent: () => told.all.length === heard };
}

test('a recorded session is held frame by frame, and each job ends as its runner says', async () => {
  const opened = await openForge(['swamp']);
  const { step, jobs, asked, silent } = await stage(opened);
  for (const { from, frame } of TRANSCRIPT) await step({ from, frame: filled(frame) });
  const ends = await Promise.all([...jobs.values()].map((job) => job.result()));
  expect(ends).toMatchObject([
    { success: true, data: { exitCode: 0, stdout: 'prod', durationMs: 12 } },
    { success: false, error: { code: 'COMMAND_FAILED' } },
    { success: false, error: { code: 'EXECUTION_TIMEOUT' } },
    { success: false },
  ]);
  expect((await [...jobs.values()].at(-1)?.show())?.status).toBe('cancelled');
  expect(silent()).toBe(true);
  // What proved a dispatch proves nothing once that is over.
  const late = asked.get('r-1')?.dispatch.dispatchCredential ?? '';
  const headers = { authorization: `Bearer ${late}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ specName: 'result', name: 'result', data: {} });
  const refused = await fetch(`${opened.url}/data/resource`, { method: 'POST', headers, body });
  expect([refused.status, await refused.json()]).toEqual([
    401,
    { error: 'Missing or invalid session credential' },
  ]);
});

test('frames that are none, and requests that nobody serves, are answered in the words of swamp', async () => {
  const opened = await openForge(['swamp']);
  const { told, say } = await dial(opened);
  const request = (id: string, method: string, params: object = {}): void =>
    say({ type: 'rpc.request', id, method, params });
  say({ type: 'hello' });
  request('a', 'worker.drain');
  expect(await told.first(({ id }) => id === 'a')).toMatchObject({ error: { message: 'not enrolled' } });
  const enroll = {
    ...{ instanceUuid: 'i', machineId: 'm', swampVersion: '1', platform: 'linux', arch: 'x86_64' },
    ...{ token: await opened.token(), protocolVersion: 4 },
  };
  request('b', 'worker.enroll', enroll);
  await told.first(({ type, id }) => type === 'rpc.response' && id === 'b');
  request('c', 'worker.enroll', enroll);
  expect(await told.first(({ id }) => id === 'c')).toMatchObject({ error: { code: 'handler_failed' } });
  request('d', 'capability.getData');
  expect(await told.first(({ id }) => id === 'd')).toMatchObject({ error: { code: 'unknown_method' } });
  request('e', 'worker.session.refresh');
  expect(await told.first(({ id }) => id === 'e')).toMatchObject({ type: 'rpc.response' });
  const other = await dial(opened);
  other.say({
    type: 'rpc.request',
    id: 'f',
    method: 'worker.enroll',
    params: { ...enroll, protocolVersion: 3 },
  });
  expect(await other.told.first(({ id }) => id === 'f')).toMatchObject({
    error: {
      code: 'protocol_mismatch',
      message: 'Worker protocol version 3 does not match orchestrator version 4',
    },
  });
  const third = await dial(opened);
  third.say({ type: 'rpc.request', id: 'g', method: 'worker.enroll', params: enroll });
  expect(await third.told.first(({ id }) => id === 'g')).toMatchObject({
    error: { code: 'already_connected' },
  });
});
