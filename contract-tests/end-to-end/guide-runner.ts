// The guide's runner as a process, and its job to the letter.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('../../examples/guide-runner/dist/runner.js', import.meta.url));

export const guideJob = (id: string): string =>
  `{"id":"${id}","type":"my.job.type","priority":50,"payload":{"type":"my-capability","version":"1.0.0","data":{"foo":"bar"}}}`;

/** Starts it and waits for the line that says it is registered. */
export async function startGuideRunner(jobForgeUrl: string): Promise<ChildProcess> {
  const runner = spawn(process.execPath, [file], {
    env: { PATH: process.env['PATH'], JOBFORGE_URL: jobForgeUrl, PORT: '0', RUNNER_ID: 'my-runner-001' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(createInterface(runner.stdout), 'line');
  return runner;
}
