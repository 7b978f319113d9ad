import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { followJob, post } from './client.js';
import { guideJob, startGuideRunner } from './guide-runner.js';
import { endProcess, endProcesses, startJobForge } from './processes.js';

/** Twice its heartbeat interval and a beat more: longer than JobForge waits for beats that never carry an id it knows. */
const A_MINUTE_MS = 62_000;

afterEach(endProcesses);

it(
  'the guide’s runner completes jobs now and a minute later, though its beats name a runner that nobody knows',
  { timeout: 90_000 },
  async () => {
    const forge = await startJobForge();
    const runner = await startGuideRunner(forge.url);
    const completes = async (id: string): Promise<void> => {
      expect((await post(`${forge.url}/jobs`, guideJob(id))).status).toBe(202);
      expect((await followJob(forge.url, id)).at(-1)?.type).toBe('job.completed');
    };
    try {
      await completes('test-job-1');
      // The minute is what is under test: nothing happens at its end that could be waited for.
      await delay(A_MINUTE_MS);
      await completes('test-job-2');
    } finally {
      await endProcess(runner, 'SIGKILL');
    }
  },
);
