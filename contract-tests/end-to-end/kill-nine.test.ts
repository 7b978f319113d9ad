import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { followJob, post, showJob } from './client.js';
import {
  endProcess,
  endProcesses,
  freePort,
  type JobForgeProcess,
  startJobForge,
  startRunner,
} from './processes.js';

const JOBS = 1000;
const BATCH = 10;
const KILL_AFTER = [200, 500, 800];

afterEach(endProcesses);

/** Submits until it is acknowledged, as a client does that wants its jobs run whatever happens. */
async function submitUntilAcknowledged(url: string, ids: readonly string[]): Promise<void> {
  const jobs = ids.map((id) => ({ id, type: 'steps.run', payload: { type: 'steps.run', data: { ms: 20 } } }));
  for (;;) {
    try {
      const response = await post(`${url}/jobs/batch`, { jobs });
      if (response.status === 202) return;
    } catch {
      // JobForge is down: connections are refused or reset until it is back.
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('JobForge killed with -9 while jobs are submitted', () => {
  it(
    `three times: each of ${JOBS} acknowledged jobs completes, exactly once`,
    { timeout: 120_000 },
    async () => {
      const data = await mkdtemp(join(tmpdir(), 'kill-nine-'));
      const port = await freePort();
      let forge: JobForgeProcess = await startJobForge({ port, data });
      const runner: ChildProcess = await startRunner('steps.mjs', { JOBFORGE_URL: forge.url });
      const runs = new Map<string, number>();
      runner.on('message', (message: { ran?: string }) => {
        if (message.ran) runs.set(message.ran, (runs.get(message.ran) ?? 0) + 1);
      });

      const acknowledged: string[] = [];
      const kills = [...KILL_AFTER];
      let restarting: Promise<void> = Promise.resolve();
      for (let first = 0; first < JOBS; first += BATCH) {
        const ids = Array.from({ length: BATCH }, (_, index) => `kill-${first + index}`);
        await submitUntilAcknowledged(forge.url, ids);
        acknowledged.push(...ids);
        if (kills[0] !== undefined && acknowledged.length >= kills[0]) {
          kills.shift();
          await restarting;
          await endProcess(forge.child, 'SIGKILL');
          restarting = startJobForge({ port, data }).then((again) => void (forge = again));
        }
      }
      await restarting;

      for (const id of acknowledged) {
        const events = await followJob(forge.url, id);
        const endings = events.filter(({ type }) =>
          ['job.completed', 'job.failed', 'job.cancelled'].includes(type),
        );
        expect(endings.map(({ type }) => type)).toEqual(['job.completed']);
      }
      expect(runs.size).toBe(JOBS);
      expect([...runs.values()].filter((count) => count !== 1)).toEqual([]);
      expect(await showJob(forge.url, 'kill-0')).toMatchObject({ status: 'completed', attempts: 1 });
      await rm(data, { recursive: true });
    },
  );
});
