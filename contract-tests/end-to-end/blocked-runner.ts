// A runner whose handler blocks the event loop of its process, watched from JobForge's side.
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { RunnerMetadata } from '@controlplane/contracts';
import { createJobForge, type JobForge } from '@controlplane/jobforge';
import { endProcesses, startRunner } from './processes.js';

// Three beats missed and a lease over are both longer than a busy machine keeps a process waiting.
export const HEARTBEAT_MS = 1_500;
export const LEASE_MS = 5_000;

const forges: JobForge[] = [];

async function openForge(): Promise<JobForge> {
  const forge = await createJobForge({
    store: 'memory',
    listen: { port: 0 },
    limits: { leaseMs: LEASE_MS, heartbeatIntervalMs: HEARTBEAT_MS },
  }).start();
  forges.push(forge);
  return forge;
}

/** Ends the runners and the JobForges of all that was run. */
export async function endBlocked(): Promise<void> {
  await endProcesses();
  await Promise.all(forges.map((forge) => forge.stop({ drainMs: 0 })));
}

/** What JobForge knew of the runner at one moment. */
interface Sight {
  readonly lastHeartbeatMs: number;
  readonly status: string;
  readonly stalledMs: number;
}

async function look(url: string, runnerId: string): Promise<Sight> {
  const response = await fetch(`${url}/runners/${runnerId}`);
  const { lastHeartbeatAt, status, stalledMs = 0 } = RunnerMetadata.parse(await response.json());
  return { lastHeartbeatMs: Date.parse(lastHeartbeatAt), status, stalledMs };
}

async function watch(url: string, options: { runnerId: string; until: Promise<unknown> }): Promise<Sight[]> {
  const sights: Sight[] = [];
  let isOver = false;
  void options.until.finally(() => (isOver = true));
  while (!isOver) {
    sights.push(await look(url, options.runnerId));
    await delay(HEARTBEAT_MS / 5);
  }
  return sights;
}

/** Milliseconds between the heartbeats that JobForge saw: the longest, and the one in the middle. */
function gapsBetween(sights: readonly Sight[]): { readonly longestMs: number; readonly medianMs: number } {
  const beats = [...new Set(sights.map(({ lastHeartbeatMs }) => lastHeartbeatMs))];
  const gaps = beats.slice(1).map((atMs, index) => atMs - (beats[index] ?? 0));
  const sorted = gaps.toSorted((a, b) => a - b);
  return { longestMs: sorted.at(-1) ?? Infinity, medianMs: sorted[sorted.length >> 1] ?? Infinity };
}

/** Runs one job that blocks its runner for `ms` on a JobForge of its own, submits another one meanwhile, and tells what came of both. */
export async function blockRunner({
  ms,
  ...environment
}: { readonly ms: number } & Readonly<Record<string, string | number>>) {
  const forge = await openForge();
  const url = forge.url ?? '';
  const child = await startRunner('blocking.mjs', { JOBFORGE_URL: url, ...(environment as object) });
  const runners = RunnerMetadata.array().parse(await (await fetch(`${url}/runners`)).json());
  const runnerId = runners[0]?.id ?? '';
  const runs: unknown[] = [];
  child.on('message', (message: { ran?: string }) => {
    if (message.ran !== undefined) runs.push(message);
  });
  const begun = once(child, 'message');
  const blocking = await forge.submit({
    capability: 'block',
    input: { ms },
    retryPolicy: { maxRetries: 2, backoffMs: 10 },
  });
  await begun;
  const blocked = blocking.result();
  const watching = watch(url, { runnerId, until: blocked });
  await delay(HEARTBEAT_MS * 3);
  const other = await forge.submit({ capability: 'quick', input: {} });
  const otherWhile = await other.show();
  const result = await blocked;
  const otherResult = await other.result();
  const sights = await watching;
  return {
    result,
    runs,
    statuses: [...new Set(sights.map(({ status }) => status))],
    stalledMs: Math.max(...sights.map(({ stalledMs }) => stalledMs)),
    gaps: gapsBetween(sights),
    other: { stateMeanwhile: otherWhile.status, result: otherResult },
    after: await look(url, runnerId),
  };
}
