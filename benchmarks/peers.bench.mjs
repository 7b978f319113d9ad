// Jobs the whole way, each acknowledged when it is on the disk: JobForge as it comes (SQLite, synchronous=FULL, with its
// logs, retention and records) beside graphile-worker on PostgreSQL and BullMQ on Redis with `appendfsync always`. Each
// producer submits batches of 100 over four connections; rounds take turns.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { interleaved, median, ratio } from './harness/interleaved.mjs';
import { startPostgres } from './harness/postgres.mjs';
import { startRedis } from './harness/redis.mjs';
import { report, round } from './harness/report.mjs';
import { startJobForge, startQueue, WARM_UP } from './harness/whole-way.mjs';

const JOBS = 20_000;
const ROUNDS = 5;
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const [postgres, redis] = [await startPostgres(), await startRedis()];
const jobForge = await startJobForge(JOBS, { FILE: join(folder, 'jobs.db') });
const graphile = await startQueue('graphile', JOBS, { DATABASE: postgres.url });
const bullmq = await startQueue('bullmq', JOBS, { REDIS_PORT: String(redis.port) });
const systems = { jobForge, graphile, bullmq };

try {
  const each = Object.fromEntries(Object.entries(systems).map(([name, { round: once }]) => [name, once]));
  await interleaved(each, WARM_UP);
  const rates = await interleaved(each, ROUNDS);
  report('end to end, durable, beside peers', {
    'JobForge on SQLite, jobs/s, median': Math.round(median(rates.jobForge)),
    'graphile-worker 0.17 on PostgreSQL, jobs/s': Math.round(median(rates.graphile)),
    'BullMQ 6 on Redis, appendfsync always, jobs/s': Math.round(median(rates.bullmq)),
    'JobForge / graphile-worker (aim ≥ 1.2)': round(ratio(rates.jobForge, rates.graphile)),
    'JobForge / BullMQ (aim ≥ 2.5)': round(ratio(rates.jobForge, rates.bullmq)),
  });
} finally {
  await Promise.all(Object.values(systems).map((system) => system.stop()));
  await Promise.all([postgres.stop(), redis.stop()]);
  rmSync(folder, { recursive: true, force: true });
}
