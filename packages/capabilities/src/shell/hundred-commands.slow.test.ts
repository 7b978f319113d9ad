import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRunner } from '@controlplane/runner-sdk';
import { afterAll, expect, test } from 'vitest';
import { alive, uniqueSeconds } from '../process/process-control.suite.js';
import { shell } from './shell.js';

const COUNT = 100;
const MAX_LOG_BYTES = 50 * 1024;
const TIMEOUT_MS = 1_000;
const TERM_GRACE_MS = 2_000;
/** After which the SDK gives up a handler whose time is over. */
const DEADLINE_GRACE_MS = 5_000;
/** A gigabyte is printed; what is kept of it is 100 × 150 KB, and the rest is for the collector to find. */
const MEMORY_BYTES = 600 * 1024 * 1024;

const stateDirectory = mkdtempSync(join(tmpdir(), 'hundred-'));
afterAll(() => rmSync(stateDirectory, { recursive: true, force: true }));

const runner = createRunner({
  name: 'hundred',
  capabilities: [shell({ profile: 'full', stateDirectory, termGraceMs: TERM_GRACE_MS })],
  maxConcurrency: COUNT,
  maxLogBytes: MAX_LOG_BYTES,
  logger: false,
});

async function runOne(number: number, command: string) {
  let logBytes = 0;
  const request = {
    executionId: `execution-${number}`,
    jobId: `job-${number}`,
    capabilityId: 'shell.full',
    moduleId: 'hundred',
    payload: { command },
    timeoutMs: TIMEOUT_MS,
    attempt: 1,
    metadata: {},
  };
  for await (const event of runner.execute(request)) {
    if (event.type === 'log')
      logBytes +=
        Buffer.byteLength(event.message) +
        (event.fields ? Buffer.byteLength(JSON.stringify(event.fields)) : 0);
    if (event.type !== 'failed') continue;
    const { error, executionTimeMs, droppedBytes = 0 } = event;
    return { code: error.code, executionTimeMs, droppedBytes, logBytes };
  }
  throw new Error(`execution ${number} did not fail`);
}

test('a hundred commands that print 10 MB and ignore SIGTERM end as timed out, within bounds, and leave nothing', async () => {
  const seconds = uniqueSeconds();
  const command = `trap '' TERM; head -c 10485760 /dev/zero | tr '\\0' x; sleep ${seconds}; sleep ${seconds}`;
  let peak = 0;
  const before = process.memoryUsage.rss();
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20);
  const ended = await Promise.all(Array.from({ length: COUNT }, (_, number) => runOne(number, command)));
  clearInterval(watch);

  expect(new Set(ended.map(({ code }) => code))).toEqual(new Set(['EXECUTION_TIMEOUT']));
  const slowest = Math.max(...ended.map(({ executionTimeMs }) => executionTimeMs));
  const dropped = ended.map(({ droppedBytes }) => droppedBytes);
  process.stdout.write(
    `100 × 10 MB: slowest ${Math.round(slowest)} ms, memory +${Math.round((peak - before) / 2 ** 20)} MB, least dropped ${Math.min(...dropped)} bytes\n`,
  );
  expect(slowest).toBeLessThan(TIMEOUT_MS + DEADLINE_GRACE_MS);
  expect(new Set(ended.map(({ logBytes }) => logBytes))).toEqual(new Set([MAX_LOG_BYTES]));
  expect(Math.min(...dropped)).toBeGreaterThan(0);
  expect(peak - before).toBeLessThan(MEMORY_BYTES);
  expect(alive(seconds)).toEqual([]);
});
