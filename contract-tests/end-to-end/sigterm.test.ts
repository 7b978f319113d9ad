import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createJobForge, type JobForge, type JobHandle } from '@controlplane/jobforge';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { endProcess, endProcesses, startRunner } from './processes.js';

const JOBS = 100;

let forge: JobForge;
beforeEach(async () => {
  forge = await createJobForge({ store: 'memory', listen: { port: 0 } }).start();
});
afterEach(async () => {
  await endProcesses();
  await forge.stop({ drainMs: 0 });
});

/** A runner as a process of its own, and what its handlers have told. */
interface Held {
  readonly child: ChildProcess;
  readonly began: string[];
  readonly stopped: { readonly jobId: string; readonly kind: string }[];
  release(jobs: readonly JobHandle[]): void;
}

async function startHeld(name: string, delivery: string): Promise<Held> {
  const child = await startRunner('held.mjs', {
    JOBFORGE_URL: forge.url ?? '',
    RUNNER_NAME: name,
    RUNNER_DRAIN_MS: '2000',
    DELIVERY: delivery,
  });
  const began: string[] = [];
  const stopped: Held['stopped'][number][] = [];
  child.on('message', (told: { began?: string; stopped?: string; kind?: string }) => {
    if (told.began !== undefined) began.push(told.began);
    if (told.stopped !== undefined) stopped.push({ jobId: told.stopped, kind: told.kind ?? '' });
  });
  return { child, began, stopped, release: (jobs) => child.send({ release: jobs.map(({ id }) => id) }) };
}

/** Why each attempt of a job was not its last. */
async function retriedBecause(job: JobHandle): Promise<string[]> {
  const codes: string[] = [];
  for await (const { type, data } of job.events())
    if (type === 'job.retrying') codes.push((data as { error: { code: string } }).error.code);
  return codes;
}

it.each(['push', 'websocket', 'long-poll'])(
  `by %s a runner that gets SIGTERM under ${JOBS} executions loses and doubles none: what does not finish is handed back and finished elsewhere`,
  async (delivery) => {
    const first = await startHeld('first', delivery);
    const submit = () => forge.submit({ capability: 'held.run', input: {}, retryPolicy: { maxRetries: 0 } });
    const jobs = await Promise.all(Array.from({ length: JOBS }, submit));
    await expect.poll(() => first.began.length).toBe(JOBS);
    const second = await startHeld('second', delivery);

    const allTold = once(first.child, 'disconnect');
    const exited = endProcess(first.child, 'SIGTERM');
    first.release(jobs.slice(0, JOBS / 2));
    expect(await exited).toBe(0);
    await allTold;
    const handedBack = first.stopped.map(({ jobId }) => jobId);
    await expect.poll(() => second.began.length).toBe(handedBack.length);
    second.release(jobs);

    const results = await Promise.all(jobs.map((job) => job.result()));
    expect(results.filter(({ success }) => success)).toHaveLength(JOBS);
    expect(new Set(first.stopped.map(({ kind }) => kind))).toEqual(new Set(['shutdown']));
    expect(handedBack.length).toBeGreaterThanOrEqual(JOBS / 2);
    expect(handedBack.length).toBeLessThan(JOBS);
    expect(second.began.toSorted()).toEqual(handedBack.toSorted());
    for (const job of jobs)
      expect(await retriedBecause(job)).toEqual(handedBack.includes(job.id) ? ['RUNNER_SHUTDOWN'] : []);
  },
);
