import { SwarmletRegisterResponse, SwarmletServerFrame } from '@controlplane/contracts/swarmlet';
import type { JobHandle } from '@controlplane/jobforge';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { createArrivals } from '../hosts/arrivals.js';
import { TRANSCRIPT } from '../hosts/swarmlet/transcript.js';
import { openForge, type Opened } from './opened.js';

// The session that Swarmlet's own runner holds with its Swarmlet, said by it to JobForge.

type Told = Readonly<Record<string, unknown>>;

async function dial({ url, token }: Opened, metadata: object) {
  const body = JSON.stringify({ enroll_token: await token(), name: 'builder', metadata });
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(`${url}/api/runners/register`, { method: 'POST', headers, body });
  const identity = SwarmletRegisterResponse.parse(await reply.json());
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/runners/ws`);
  onTestFinished(() => socket.terminate());
  const told = createArrivals<Told>();
  socket.on('message', (data: Buffer) => told.push(SwarmletServerFrame.parse(JSON.parse(data.toString()))));
  await new Promise((resolve) => socket.once('open', resolve));
  return { identity, socket, told };
}

/** What differs from run to run, as this run has it. */
const filled = (frame: Told): Told =>
  JSON.parse(JSON.stringify(frame).replaceAll('"<number>"', '12').replaceAll('<text>', 'linux')) as Told;

test('a recorded session is held frame by frame, and each job ends as its runner says', async () => {
  const opened = await openForge(['swarmlet']);
  const frames = TRANSCRIPT.map(({ from, frame }) => ({ from, frame: filled(frame) }));
  const [hello] = frames;
  const { identity, socket, told } = await dial(opened, hello?.frame['metadata'] as object);
  const jobs = new Map<unknown, JobHandle>();
  const ids = new Map<unknown, unknown>();
  let heard = 0;
  for (const { from, frame } of frames) {
    const { type, job_id, command } = frame;
    if (type === 'hello') {
      const { runner_id, runner_secret: secret } = identity;
      socket.send(JSON.stringify({ ...frame, runner_id, secret }));
    } else if (from === 'runner') socket.send(JSON.stringify({ ...frame, job_id: ids.get(job_id) }));
    else if (type === 'exec_request') {
      const timeoutMs = (Number(frame['timeout_secs']) || 86_400) * 1_000;
      const input = { command: String(command) };
      const retryPolicy = { maxRetries: 0 };
      jobs.set(
        job_id,
        await opened.forge.submit({ capability: 'shell.full', input, timeoutMs, retryPolicy }),
      );
      const [asked] = (await told.count(() => true, (heard += 1))).slice(-1);
      ids.set(job_id, asked?.['job_id']);
      expect(asked).toEqual({ ...frame, job_id: expect.any(String), timeout_secs: timeoutMs / 1_000 });
    } else {
      await jobs.get(job_id)?.cancel();
      const [asked] = (await told.count(() => true, (heard += 1))).slice(-1);
      expect(asked).toEqual({ ...frame, job_id: ids.get(job_id) });
    }
  }
  const ends = await Promise.all([...jobs.values()].map((job) => job.result()));
  expect(ends).toMatchObject([
    { success: true, data: { exitCode: 0, stdout: 'hello\n', durationMs: 12 } },
    { success: false, error: { code: 'COMMAND_FAILED' } },
    { success: false, error: { code: 'EXECUTION_TIMEOUT' } },
    { success: false },
  ]);
  const last = await [...jobs.values()].at(-1)?.show();
  expect(last?.status).toBe('cancelled');
  expect(told.all).toHaveLength(heard);
});
