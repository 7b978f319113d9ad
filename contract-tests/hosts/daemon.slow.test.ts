import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createJobForge } from '@controlplane/jobforge';
import { expect, onTestFinished, test } from 'vitest';
import { startScriptedAutomn } from './automn/scripted-automn.js';
import { startDaemon } from './daemon-process.js';
import { startScriptedSwamp } from './swamp/scripted-swamp.js';
import { temporaryFolder } from './served-runner.js';
import { startScriptedSwarmlet } from './swarmlet/scripted-swarmlet.js';

// The command as a process, with nothing but the environment variables of the runners that it replaces.

test('one runner serves a Swarmlet, a swamp and a JobForge at once: slots are shared, and one drain ends all', async () => {
  const swarmlet = await startScriptedSwarmlet();
  const swamp = await startScriptedSwamp();
  const forge = await createJobForge({ store: 'memory', listen: { port: 0 } }).start();
  onTestFinished(async () => {
    await Promise.all([swarmlet.close(), swamp.close(), forge.stop({ drainMs: 1 })]);
  });
  const daemon = startDaemon(['--host', 'swarmlet,swamp,jobforge', '--concurrency', '2', '--shell', 'full'], {
    SWARMLET_URL: swarmlet.url,
    RUNNER_ID: '7',
    RUNNER_SECRET: 'seven-secret',
    SWAMP_ORCHESTRATOR_URL: swamp.url,
    SWAMP_WORKER_TOKEN: 'fleet.s3cret',
    JOBFORGE_URL: String(forge.url),
  });
  await swarmlet.connections.first(() => true);
  await swamp.enrollments.first(() => true);

  const first = swarmlet.exec('echo one; exec sleep 600');
  const second = swamp.dispatch('echo two; exec sleep 600');
  await swarmlet.chunk(first);
  await swamp.line(second);
  // Both slots are taken, whoever asks.
  expect((await swamp.ended(swamp.dispatch('true'))).error?.code).toBe('worker_busy');
  expect((await swarmlet.ended(swarmlet.exec('true'))).error).toBe('Runner is busy with another job');
  swarmlet.cancel(first);
  swamp.cancel(second);
  await Promise.all([swarmlet.ended(first), swamp.ended(second)]);

  const third = await forge.submit({ capability: 'shell.full', input: { command: 'echo three' } });
  expect(await third.result()).toMatchObject({ success: true, data: { stdout: 'three\n' } });

  const last = swarmlet.exec('echo on; sleep 1; echo off');
  await swarmlet.chunk(last);
  daemon.child.kill('SIGTERM');
  await swamp.asked('worker.drain');
  expect(await swarmlet.ended(last)).toMatchObject({ status: 'success', stdout: 'on\noff\n' });
  expect(await daemon.exit, daemon.log()).toBe(0);
  expect(daemon.log()).not.toMatch(/seven-secret|s3cret/);
});

test('a runner that every host refuses ends with the code of the refusal', async () => {
  const swarmlet = await startScriptedSwarmlet();
  onTestFinished(() => swarmlet.close());
  const daemon = startDaemon(['--host', 'swarmlet'], {
    SWARMLET_URL: swarmlet.url,
    RUNNER_ID: '7',
    RUNNER_SECRET: 'wrong',
  });
  expect(await daemon.exit, daemon.log()).toBe(67);
  expect(daemon.log()).toContain('CREDENTIAL_INVALID');
});

test('a runner for a batch of dispatches stops after it, as swamp’s own does', async () => {
  const swamp = await startScriptedSwamp();
  onTestFinished(() => swamp.close());
  const daemon = startDaemon(['--host', 'swamp'], {
    SWAMP_ORCHESTRATOR_URL: swamp.url,
    SWAMP_WORKER_TOKEN: 'fleet.s3cret',
    SWAMP_WORKER_MAX_DISPATCHES: '1',
  });
  await swamp.enrollments.first(() => true);
  const dispatch = await swamp.ended(swamp.dispatch('echo only'));
  expect(dispatch.result?.status).toBe('success');
  expect(await daemon.exit, daemon.log()).toBe(0);
});

/** A port that was free a moment ago: the other side is told it before the runner listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('a runner with the variables of Automn’s own takes its scripts at PORT, and finishes them when it goes', async () => {
  const automn = await startScriptedAutomn();
  onTestFinished(() => automn.close());
  const port = String(await freePort());
  const folder = temporaryFolder();
  const daemon = startDaemon(['--host', 'automn'], {
    AUTOMN_HOST_URL: automn.url,
    AUTOMN_RUNNER_ID: 'default',
    AUTOMN_RUNNER_SECRET: 'default-secret',
    AUTOMN_RUNNER_PUBLIC_URL: `http://127.0.0.1:${port}`,
    AUTOMN_RUNNER_STATE_DIR: folder,
    AUTOMN_RUNNER_WORKDIR: join(folder, 'script_workdir'),
    PORT: port,
  });
  const registered = await automn.registrations.first(() => true);
  expect(registered.runtimes).toMatchObject({ node: process.versions.node });
  const job = automn.run(
    "AutomnLog('on'); setTimeout(() => AutomnReturn(process.env.AUTOMN_RUNNER_SECRET ?? 'none'), 1000);",
    {
      language: 'node',
    },
  );
  await automn.logged(job, 'on');
  daemon.child.kill('SIGTERM');
  expect((await automn.ended(job)).result).toMatchObject({ code: 0, returnData: 'none' });
  expect(await daemon.exit, daemon.log()).toBe(0);
  expect(daemon.log()).not.toContain('default-secret');
});
