import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { startDaemon, type Daemon } from '../hosts/daemon-process.js';
import { temporaryFolder } from '../hosts/served-runner.js';
import { commandJob, openForge, type Opened } from './opened.js';

// A lease is short here, so that what is decided after one is decided soon.
const limits = { leaseMs: 2_000, heartbeatIntervalMs: 500 };

interface Enrolled {
  readonly runner_id: number;
  readonly runner_secret: string;
}

async function enroll({ url, token }: Opened): Promise<Enrolled> {
  const metadata = {
    hostname: hostname(),
    platform: process.platform,
    arch: process.arch,
    runner_version: '1',
  };
  const body = { enroll_token: await token(), name: 'builder', metadata, capabilities: ['exec.full'] };
  const answer = await fetch(`${url}/api/runners/register`, {
    ...{ method: 'POST', body: JSON.stringify(body) },
    headers: { 'content-type': 'application/json' },
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Enrolled;
}

const started = ({ url }: Opened, { runner_id, runner_secret }: Enrolled, state: string): Daemon =>
  startDaemon(['--host', 'swarmlet', '--shell', 'full'], {
    ...{
      SWARMLET_URL: url.replace('http', 'ws'),
      RUNNER_ID: String(runner_id),
      RUNNER_SECRET: runner_secret,
    },
    ...{ RUNNER_STATE_DIR: state, RECONNECT_DELAY_MS: '50' },
  });

async function hasBegun(opened: Opened, jobId: string): Promise<void> {
  for await (const { type } of opened.forge.operations.jobEvents(jobId)) if (type === 'job.log') return;
}

test.each([
  ['says what it lost', true],
  ['says nothing of what it had, as one of Swarmlet\u2019s own', false],
])(
  'the job of a runner that was killed, and %s, is decided long before its time limit',
  async (_what, keeps) => {
    const opened = await openForge(['swarmlet'], { limits });
    const who = await enroll(opened);
    const state = temporaryFolder();
    const first = started(opened, who, state);
    const job = await opened.forge.submit(commandJob('echo begun; exec sleep 600', { timeoutMs: 600_000 }));
    await hasBegun(opened, job.id);
    first.child.kill('SIGKILL');
    await first.exit;
    started(opened, who, keeps ? state : temporaryFolder());
    expect(await job.result()).toMatchObject({ success: false, error: { code: 'RUNNER_LOST' } });
    // It is free for the next one.
    const next = await opened.forge.submit(commandJob('echo next'));
    expect(await next.result()).toMatchObject({ success: true, data: { stdout: 'next\n' } });
  },
);
