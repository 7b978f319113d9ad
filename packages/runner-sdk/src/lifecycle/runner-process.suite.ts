import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { startRecordingControlPlane } from './recording-control-plane.js';

const PROGRAM = `
  import { createRunner, defineCapability } from '@controlplane/runner-sdk';
  const wait = { type: 'object' };
  const input = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } };
  const capability = defineCapability({
    id: 'wait', version: '1.0.0', description: 'Waits.', input, inputJsonSchema: wait,
    execute: ({ ms }, { signal }) => new Promise((resolve) => { setTimeout(() => resolve('done'), ms); }),
  });
  const runner = await createRunner({ capabilities: [capability] }).start();
  process.stdout.write(runner.url + '\\n');
`;

/** Starts a runner in a process of its own, as a program of a user's is; it is gone when the test is over. */
export function spawnRunner(controlPlaneUrl: string, env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: {
      PATH: process.env['PATH'],
      JOBFORGE_URL: controlPlaneUrl,
      PORT: '0',
      RUNNER_NAME: 'child',
      LOG_LEVEL: 'silent',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stderr.on('data', (chunk: Buffer) => process.stderr.write(chunk));
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** A runner in a process of its own that is registered. */
export async function startProcess(env: NodeJS.ProcessEnv = {}) {
  const controlPlane = await startRecordingControlPlane();
  onTestFinished(controlPlane.close);
  const registered = controlPlane.next(/register$/);
  const child = spawnRunner(controlPlane.url, env);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  await registered;
  return { child, controlPlane, url: line.toString().trim() };
}
