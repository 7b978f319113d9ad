import { afterEach, expect, it } from 'vitest';
import { followJob, post, showJob } from './client.js';
import { guideJob, startGuideRunner } from './guide-runner.js';
import { endProcess, endProcesses, startJobForge } from './processes.js';

afterEach(endProcesses);

it('the runner that the guide writes by hand registers and completes the guide’s job', async () => {
  const forge = await startJobForge();
  const runner = await startGuideRunner(forge.url);
  try {
    const submitted = await post(`${forge.url}/jobs`, guideJob('test-job-1'));
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
