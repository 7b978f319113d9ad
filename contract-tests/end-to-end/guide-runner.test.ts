import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { followJob, post, showJob } from './client.js';
import { endProcess, endProcesses, startJobForge } from './processes.js';

const runnerFile = fileURLToPath(new URL('../../examples/guide-runner/dist/runner.js', import.meta.url));
/** As the guide writes it, to the letter. */
const job = (id: string): string =>
  `{"id":"${id}","type":"my.job.type","priority":50,"payload":{"type":"my-capability","version":"1.0.0","data":{"foo":"bar"}}}`;

afterEach(endProcesses);

it('the runner that the guide writes by hand registers and completes the guide’s job', async () => {
  const forge = await startJobForge();
  const runner = spawn(process.execPath, [runnerFile], {
    env: { PATH: process.env['PATH'], JOBFORGE_URL: forge.url, PORT: '0', RUNNER_ID: 'my-runner-001' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(createInterface(runner.stdout), 'line');
    const submitted = await post(`${forge.url}/jobs`, job('test-job-1'));
    expect(submitted.status).toBe(202);
    expect((await followJob(forge.url, 'test-job-1')).at(-1)?.type).toBe('job.completed');
    expect(await showJob(forge.url, 'test-job-1')).toMatchObject({
      status: 'completed',
      result: { success: true, data: { processed: true, input: { foo: 'bar' } }, metadata: { attempts: 1 } },
    });
  } finally {
    await endProcess(runner, 'SIGKILL');
  }
});
